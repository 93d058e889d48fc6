"""Documents out of an executed notebook: nbconvert exporters that compute nothing."""
