"""The models of random_models.py with numpy's random numbers, the same ones every time.

    python make_random_models.py FOLDER [NAME...]        writes FOLDER/NAME
"""

import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from random_models import MODELS, Draw, draw_model, save_model


class NumpyDraw(Draw):
    def __init__(self, seed):
        super().__init__()
        self.random = np.random.Generator(np.random.PCG64(seed))

    def normals(self, shape, deviation, mean):
        return (mean + deviation * self.random.standard_normal(shape)).astype(np.float32)


def random_weights(config, seed):
    return draw_model(NumpyDraw(seed), config)


def make_random_model(folder, name):
    config, seed = MODELS[name]
    return save_model(folder, config, random_weights(config, seed))


if __name__ == "__main__":
    for name in sys.argv[2:] or MODELS:
        make_random_model(pathlib.Path(sys.argv[1]) / name, name)
