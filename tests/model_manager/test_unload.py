from __future__ import annotations

import gc

from model_files import Clock, File, resident, told, use

from heygem.model_manager import ModelManager


def test_the_least_recently_used_goes_first_and_never_one_in_use(manager: ModelManager) -> None:
    manager = ModelManager(budget_bytes=250)
    x, y, z = File("x"), File("y"), File("z")
    with manager.lease(x.spec):
        use(manager, y)
        assert resident(manager) == ["x", "y"]
        use(manager, z)
        assert resident(manager) == ["x", "z"]
        assert y.alive() == []
        assert told(manager, y).evictions == 1
    use(manager, y)
    assert resident(manager) == ["x", "y"]  # the lease of x ended after that of z
    use(manager, x)
    use(manager, z)
    assert resident(manager) == ["x", "z"]
    assert manager.statistics().nbytes == 200


def test_what_is_over_the_budget_goes_when_its_lease_ends(manager: ModelManager) -> None:
    manager = ModelManager(budget_bytes=150)
    x, y = File("x"), File("y")
    with manager.lease(x.spec):
        with manager.lease(y.spec):
            assert manager.statistics().nbytes == 200
        assert resident(manager) == ["x", "y"]
    assert len(resident(manager)) == 1


def test_a_model_bigger_than_the_budget_stays_while_it_is_the_last_used() -> None:
    manager = ModelManager(budget_bytes=50)
    big, other = File("big"), File("other")
    use(manager, big)
    use(manager, big)
    assert len(big.loads) == 1
    use(manager, other)
    assert resident(manager) == ["other"]


def test_idle_models_are_unloaded_and_those_in_use_are_not() -> None:
    clock = Clock()
    manager = ModelManager(1000, idle_s=10, clock=clock)
    used, unused = File("used"), File("unused")
    use(manager, unused)
    with manager.lease(used.spec):
        clock.now += 9.9
        manager.sweep()
        assert resident(manager) == ["unused", "used"]
        clock.now += 0.1
        manager.sweep()
        assert resident(manager) == ["used"]
        clock.now += 100
    manager.sweep()
    assert resident(manager) == ["used"]  # idle since its lease ended
    clock.now += 10
    manager.sweep()
    assert resident(manager) == [] and used.alive() == unused.alive() == []
    assert use(manager, used) == "a" * 64


def test_without_an_idle_time_nothing_is_swept() -> None:
    clock = Clock()
    manager = ModelManager(1000, clock=clock)
    use(manager, file := File("a"))
    clock.now += 1e9
    manager.sweep()
    assert resident(manager) == [file.name]


def test_unload_frees_one_or_all_and_waits_for_leases(manager: ModelManager) -> None:
    a, b, c = File("a"), File("b"), File("c")
    for file in (a, b, c):
        use(manager, file)
    manager.unload(a.spec.key)
    assert resident(manager) == ["b", "c"]
    with manager.lease(b.spec) as lease:
        manager.unload()
        assert resident(manager) == []
        assert lease.model.name == "b"
        assert c.alive() == []
        use(manager, b)
        assert len(b.loads) == 2
    assert len(b.alive()) == 1


def test_the_batch_size_is_remembered_across_leases_and_unloading(manager: ModelManager) -> None:
    a, b = File("a"), File("b")
    with manager.lease(a.spec) as lease:
        lease.batch.start_at(64)
        lease.batch.shrink_to(8)
    manager.unload()
    with manager.lease(a.spec) as lease, manager.lease(b.spec) as other:
        lease.batch.start_at(64)
        other.batch.start_at(64)
        assert (lease.batch.size, other.batch.size) == (8, 64)


def test_unloading_frees_models_that_refer_to_themselves(manager: ModelManager) -> None:
    file = File("a")
    with manager.lease(file.spec) as lease:
        lease.model.itself = lease.model  # type: ignore[attr-defined]
    gc.disable()
    try:
        manager.unload()
        assert file.seen[0]() is None
    finally:
        gc.enable()
