"""The pen: who may send for an account, who asks for it, who has lost it."""

from engine.session.lock import Lock
from engine.session.pen import AlwaysPermit, HomePermit, LeasePermit
from engine.session.victim import Victim
from tests.support.sabotage import Patch, sabotage

PEN = "tests/session/test_pen.py"


@sabotage("H76", "a gap makes nothing void", test=f"{PEN}::test_a_process_that_stood_still_is_void_whatever_it_looks_at_first")
def never_void(patch: Patch) -> None:
    patch.setattr(AlwaysPermit, "_late", lambda self, now: False)
    patch.setattr(HomePermit, "_late", lambda self, now: False)


@sabotage("H76", "the sleep of a laptop is no gap", test=f"{PEN}::test_a_laptop_that_slept_is_void_though_its_own_clock_stood_still")
def forget_sleep(patch: Patch) -> None:
    patch.setattr(HomePermit, "_late", AlwaysPermit._late)


@sabotage("H76", "whoever has the old file open holds the account", test=f"{PEN}::test_a_home_that_is_not_the_one_that_others_find_loses_the_pen")
def ignore_the_inode(patch: Patch) -> None:
    patch.setattr(Lock, "in_place", True)


@sabotage("H76", "a renewal counts from its answer", test=f"{PEN}::test_a_renewal_is_good_from_its_sending")
def count_from_the_answer(patch: Patch) -> None:
    renewed = LeasePermit.renewed
    patch.setattr(LeasePermit, "renewed", lambda self, sent: renewed(self, self._boottime()))


@sabotage("H76", "after a sleep the old lease is believed", test=f"{PEN}::test_after_a_gap_longer_than_the_lease_only_a_new_renewal_counts")
def believe_an_old_lease(patch: Patch) -> None:
    patch.setattr(LeasePermit, "beat", HomePermit.beat)


@sabotage("H76", "locks of a network file system are believed", test=f"{PEN}::test_a_network_file_system_is_refused_with_a_sentence")
def believe_a_network(patch: Patch) -> None:
    patch.setattr("engine.session.lock.NETWORK", ())


@sabotage("H112", "the process with the number in the file is ended", test=f"{PEN}::test_nobody_is_proved_by_the_number_of_a_process_alone")
def believe_the_number(patch: Patch) -> None:
    patch.setattr("engine.session.victim._bears_out", lambda holder, wanted: True)


@sabotage("H112", "whoever is named in a copied lock is ended", test=f"{PEN}::test_a_copied_lock_makes_nobody_a_victim")
def believe_a_copy(patch: Patch) -> None:
    patch.setattr("engine.session.victim._is", lambda link, wanted: True)


@sabotage("H112", "a hung holder is asked to end", test=f"{PEN}::test_a_hung_holder_is_proved_and_ended_and_the_lock_is_free")
def ask_the_dead(patch: Patch) -> None:
    patch.setattr(Victim, "end", lambda self, timeout: False)
