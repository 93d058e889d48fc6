"""Fixtures of tests that look at pages in a browser."""

import pytest
import reportkit_fonts
from machine import PAGE_PATIENCE, program
from playwright.sync_api import expect, sync_playwright


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """Debian's Chromium, with our fonts alone, so that a machine's own play no part."""
    path, _ = program("chromium"), program("libatomic.so.1")  # which playwright's driver needs
    fonts = tmp_path_factory.mktemp("fonts")
    (fonts / "fonts.conf").write_text(
        f"<fontconfig><dir>{reportkit_fonts.folder()}</dir><cachedir>{fonts}</cachedir></fontconfig>"
    )
    milliseconds = PAGE_PATIENCE * 1000
    expect.set_options(timeout=milliseconds)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox"],
            timeout=milliseconds,
            env={"FONTCONFIG_FILE": str(fonts / "fonts.conf")},
        )
        yield browser
        browser.close()
