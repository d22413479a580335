"""Sentences about errors that readers make in many exercises."""

OVERWRITTEN = "The terms overwrite each other. Add them with +=."
IMAGES_AVERAGED = "The images are averaged. Their gradients add up."
ROWS_AVERAGED = "The rows are averaged. Their gradients add up."
UNUSED_DY = "dy is not used: by the chain rule, it is a factor."
UNUSED_DL = "dL is not used: by the chain rule, it is a factor."
NEGATIVE = "A negative index reads from the end of the array{along}. Skip positions below 0."
