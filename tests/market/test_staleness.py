"""Every price has an age."""

from engine.market import Ages


def test_a_price_is_stale_once_it_is_older_than_the_limit() -> None:
    ages = Ages(limit=60)
    ages.seen("A/B", 100)
    assert ages.age("A/B", 160) == 60
    assert not ages.is_stale("A/B", 160)
    assert ages.is_stale("A/B", 161)
    ages.seen("A/B", 161)
    assert not ages.is_stale("A/B", 161)


def test_a_price_that_never_came_is_stale_and_has_no_age() -> None:
    ages = Ages(limit=60, symbols=["A/B"])
    ages.expect("C/D")
    assert ages.age("A/B", 100) is None
    assert ages.stale(100) == ("A/B", "C/D")


def test_an_older_tick_does_not_make_a_price_older() -> None:
    ages = Ages(limit=60)
    ages.seen("A/B", 100)
    ages.seen("A/B", 50)
    assert ages.age("A/B", 130) == 30


def test_a_tick_from_the_future_has_no_negative_age() -> None:
    ages = Ages(limit=60)
    ages.seen("A/B", 100)
    assert ages.age("A/B", 90) == 0


def test_what_is_forgotten_is_no_longer_stale() -> None:
    ages = Ages(limit=60, symbols=["A/B", "C/D"])
    ages.seen("C/D", 100)
    ages.forget("A/B")
    assert ages.stale(100) == ()
