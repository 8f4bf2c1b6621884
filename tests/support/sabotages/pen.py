"""The pen: who may send for an account, who asks for it, who has lost it."""

import pytest

from engine.account.beat import Beat
from engine.account.lock import Holder, Lock
from engine.account.pen import HomePermit, LeasePermit
from engine.account.victim import Victim
from engine.desk.messages import Trouble
from engine.gate import Gate
from engine.gateway import Gateway
from engine.journal import Journal, lease
from engine.journal.keeper import Keeper
from engine.runtime import Engine
from engine.runtime.decider import Decider
from engine.session import taking
from tests.support.sabotage import Patch, sabotage

PEN = "tests/account/test_pen.py"


@sabotage(
    "H76",
    "a gap makes nothing void",
    test=f"{PEN}::test_a_process_that_stood_still_is_void_whatever_it_looks_at_first",
)
def believe_every_gap(patch: Patch) -> None:
    patch.setattr(Beat, "_late", lambda self, now: False)
    patch.setattr(HomePermit, "_late", lambda self, now: False)


@sabotage(
    "H76",
    "the sleep of a laptop is no gap",
    test=f"{PEN}::test_a_laptop_that_slept_is_void_though_its_own_clock_stood_still",
)
def forget_sleep(patch: Patch) -> None:
    patch.setattr(HomePermit, "_late", Beat._late)


@sabotage(
    "H76",
    "whoever has the old file open holds the account",
    test=f"{PEN}::test_a_home_that_is_not_the_one_that_others_find_loses_the_pen",
)
def ignore_the_inode(patch: Patch) -> None:
    patch.setattr(Lock, "in_place", True)


@sabotage(
    "H76",
    "a renewal counts from its answer",
    test=f"{PEN}::test_a_renewal_is_good_from_its_sending",
)
def count_from_the_answer(patch: Patch) -> None:
    renewed = LeasePermit.renewed
    patch.setattr(LeasePermit, "renewed", lambda self, sent: renewed(self, self._boottime()))


@sabotage(
    "H76",
    "after a sleep the old lease is believed",
    test=f"{PEN}::test_after_a_gap_longer_than_the_lease_only_a_new_renewal_counts",
)
def believe_an_old_lease(patch: Patch) -> None:
    patch.setattr(LeasePermit, "beat", HomePermit.beat)


@sabotage(
    "H76",
    "locks of a network file system are believed",
    test=f"{PEN}::test_a_network_file_system_is_refused_with_a_sentence",
)
def believe_a_network(patch: Patch) -> None:
    patch.setattr("engine.account.lock.NETWORK", ())


@sabotage(
    "H112",
    "the process with the number in the file is ended",
    test=f"{PEN}::test_nobody_is_proved_by_the_number_of_a_process_alone",
)
def believe_the_number(patch: Patch) -> None:
    patch.setattr("engine.account.victim._bears_out", lambda holder, wanted: True)


@sabotage(
    "H112",
    "whoever is named in a copied lock is ended",
    test=f"{PEN}::test_a_copied_lock_makes_nobody_a_victim",
)
def believe_a_copy(patch: Patch) -> None:
    patch.setattr("engine.account.victim._is", lambda link, wanted: True)


@sabotage(
    "H112",
    "a hung holder is asked to end",
    test=f"{PEN}::test_a_hung_holder_is_proved_and_ended_and_the_lock_is_free",
)
def ask_the_dead(patch: Patch) -> None:
    patch.setattr(Victim, "end", lambda self, timeout: False)


RUNTIME = "tests/runtime/test_pen.py"


@sabotage(
    "H76",
    "who lost the lease lets exits out as if the journal failed",
    test=f"{RUNTIME}::test_an_exit_that_finds_the_lease_gone_does_not_leave",
)
def exit_without_a_lease(patch: Patch) -> None:
    def lose(self: Decider, text: str, *_: object) -> None:
        if not self.read_only:
            self.read_only = True
            self._outbox._gateway.close()

    patch.setattr(Decider, "lose", lose)
    patch.setattr(Journal, "lost", None)


@sabotage(
    "H76",
    "who lost the pen sends what waits",
    test=f"{RUNTIME}::test_what_waits_when_the_pen_is_lost_ends_as_not_sent",
)
def send_what_waits(patch: Patch) -> None:
    patch.setattr(Gateway, "fall_silent", lambda self: ())


@sabotage(
    "H76",
    "who lost the pen goes on deciding",
    test=f"{RUNTIME}::test_who_loses_the_pen_is_told_by_whom_and_decides_nothing_more",
)
def decide_without_the_pen(patch: Patch) -> None:
    patch.setattr(
        Engine,
        "lose",
        lambda self, why, winner="": self.post(Trouble("LEASE_LOST", winner, why, blocks=True)),
    )


@sabotage(
    "H76",
    "whoever is asked for the pen goes on entering",
    test=f"{RUNTIME}::test_whoever_is_asked_for_the_pen_sends_no_entry_any_more_and_finishes_what_is_on_the_line",
)
def enter_while_handing_over(patch: Patch) -> None:
    async def hand_over(self: Engine, who: str, patience: int) -> None:
        self.post(Trouble("LEASE_WANTED", who, "wait", blocks=False))
        await self._finish(patience)

    patch.setattr(Engine, "hand_over", hand_over)


@sabotage(
    "H76",
    "after a sleep a guard fires first",
    test=f"{RUNTIME}::test_after_a_sleep_nothing_leaves_before_the_lease_was_renewed_again",
)
def fire_after_a_sleep(patch: Patch) -> None:
    patch.setattr(LeasePermit, "beat", HomePermit.beat)


@sabotage(
    "H76",
    "a silent database is no reason to stop entering",
    test=f"{RUNTIME}::test_while_the_database_is_silent_exits_leave_and_entries_do_not",
)
def enter_in_silence(patch: Patch) -> None:
    patch.setattr(LeasePermit, "check", HomePermit.check)


@sabotage(
    "H76",
    "a beat that finds the pen lost does not mind",
    test=f"{RUNTIME}::test_a_sleeper_whose_lease_was_taken_sends_nothing_for_good",
)
def sleep_on(patch: Patch) -> None:
    patch.setattr(LeasePermit, "lose", lambda self, why, winner="": self.renewed(self._boottime()))


TAKING = "tests/journal/test_keeper.py"


@sabotage(
    "H76",
    "the second takes a shared journal in silence",
    test=f"{TAKING}::test_the_second_is_refused_and_told_who_and_what_to_do",
)
def take_in_silence(patch: Patch) -> None:
    async def grab(
        journal: Journal, me: Holder, now: int, before: Holder | None, wanted: taking.Wanted
    ) -> None:
        del before, wanted
        journal.claim(me.text, now)

    patch.setattr(taking.take, "__code__", grab.__code__)


@sabotage(
    "H76",
    "a renewal is told with the time of its answer",
    test=f"{TAKING}::test_a_renewal_is_told_with_its_sending_however_late_its_answer",
)
def tell_the_answer(patch: Patch) -> None:
    ask = Keeper._renew

    def late(self: Keeper, sent: int) -> bool:
        renewed = self._permit.renewed
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(self._permit, "renewed", lambda _: renewed(self._boottime()))
            return ask(self, sent)

    patch.setattr(Keeper, "_renew", late)


@sabotage(
    "H76",
    "a person's word is enough, however short the silence",
    test=f"{TAKING}::test_a_holder_that_lives_and_keeps_it_is_not_replaced",
)
def believe_the_person(patch: Patch) -> None:
    async def ask(journal: Journal, me: Holder, now: int, *_: object) -> None:
        journal.claim(me.text, now)

    patch.setattr(taking, "_ask", ask)


@sabotage(
    "H76",
    "a stopped process keeps the row of the lease",
    test=f"{TAKING}::test_a_holder_that_was_stopped_in_the_middle_of_a_commit_keeps_the_row_from_nobody",
)
def keep_the_row(patch: Patch) -> None:
    patch.setattr("engine.journal.commit.IDLE", "idle_in_transaction_session_timeout = 0")


@sabotage(
    "H76",
    "the lease of a holder that renews is taken",
    test=f"{TAKING}::test_a_lease_that_was_renewed_since_it_was_seen_is_not_taken",
)
def take_what_lives(patch: Patch) -> None:
    take = lease.take
    patch.setattr(lease, "take", lambda *known, **terms: take(*known, **{**terms, "seen": None}))


@sabotage(
    "H76",
    "what the gate admitted leaves whenever its step comes",
    test="tests/runtime/test_paused.py::test_what_the_gate_admitted_does_not_leave_after_a_stop",
)
def leave_late(patch: Patch) -> None:
    patch.setattr(Gate, "still_stands", lambda *_: True)
