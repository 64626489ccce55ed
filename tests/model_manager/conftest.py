from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from heygem.model_manager import ModelManager


@pytest.fixture
def manager() -> ModelManager:
    return ModelManager(budget_bytes=1000)


STARTED, FINISHED, RESIDENT = "正在加载模型", "模型加载完成，已缓存至内存", "检测到已加载模型，跳过加载步骤"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], Counter[str]]]:
    """Counts the log lines of the mission so far."""

    def count() -> Counter[str]:
        messages = [record.getMessage() for record in caplog.records if record.name == "heygem.model_manager"]
        return Counter({start: sum(m.startswith(start) for m in messages) for start in (STARTED, FINISHED, RESIDENT)})

    with caplog.at_level(logging.INFO, logger="heygem.model_manager"):
        yield count
