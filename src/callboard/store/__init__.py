"""Where runs are kept: the law (`base`), what goes in and out (`records`), and the stores."""
