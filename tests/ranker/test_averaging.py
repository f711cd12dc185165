"""What a fit leaves is the mean of the weights at its end."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from ranker.averaging import Average
from tests.ranker.shops import seldom

moments = st.lists(st.lists(st.floats(-10, 10), min_size=3, max_size=3), max_size=8)


@seldom
@given(moments)
def test_the_model_gets_the_mean_of_all_moments(taken: list[list[float]]) -> None:
    one, other = torch.zeros(3), torch.ones(1, 3)
    average = Average([one, other])
    for values in taken:
        one.copy_(torch.tensor(values))
        other.copy_(-torch.tensor(values))
        average.add()
    one += 1
    other += 1
    before = one.tolist(), other.tolist()
    average.take()
    if not taken:
        assert (one.tolist(), other.tolist()) == before
        return
    mean = np.mean(taken, axis=0)
    np.testing.assert_allclose(one.numpy(), mean, atol=1e-5)
    np.testing.assert_allclose(other.numpy(), -mean[None], atol=1e-5)
