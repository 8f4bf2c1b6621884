"""The chapter *When things go wrong* of the README and of the runbook, sentence by sentence: each
names the tests that prove it, and each of those exists.
"""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]
TITLE = "## When things go wrong\n"
BEFORE = "## The first minute\n"
LABEL = re.compile(r"^- \*\*[^*]+\*\*( \([^)]*\))?[.:]?\s*")
"""What an incident begins with: its name in bold, and what it looks like or how its alert is
called.
"""

PAGES = ("README.md", "docs/runbook.md")
"""Where the chapter stands: in short, and whole."""
PROVED: dict[str, str] = {
    "**The way out that always works:** `flatout --account NAME flatten --yes`, in any shell.": """
        tests/emergency/test_processes.py::test_it_works_without_desk_database_and_screen
        tests/cli/test_accounts.py::test_a_flatten_without_the_settings_that_opened_the_account_acts_where_the_account_is""",
    "Each sentence of this chapter has its test (`tests/cli/test_readme.py`).": """
        tests/cli/test_readme.py::test_each_sentence_names_its_tests""",
    "[The runbook](docs/runbook.md) has every incident, every alert and every refusal, with what to press.": """
        tests/docs/test_runbook.py::test_each_alert_has_one_entry_with_its_severity
        tests/docs/test_runbook.py::test_each_refusal_says_what_to_do
        tests/docs/test_runbook.py::test_what_is_to_be_pressed_exists""",
    # the exchange's moods
    "A stop that rests is not taken away for a close that nobody would take; the close goes as soon as the pair takes orders again.": """
        tests/desk/test_modes.py::test_the_stop_is_not_taken_away_for_a_close_that_nobody_would_take""",
    "What has no stop is told as NAKED.": "tests/desk/test_modes.py::test_a_guard_that_could_not_act_is_none",
    "Flatout measures again after a jump of the clock, and when Kraken refuses a time.": """
        tests/venues/test_spot_documented.py::test_after_a_jump_of_our_own_clock_the_next_order_does_not_carry_the_old_skew
        tests/venues/test_spot_documented.py::test_an_entry_keeps_its_deadline_on_an_exchange_whose_clock_jumped""",
    "Exits then go without a deadline.": """
        tests/venues/test_spot_documented.py::test_an_exit_is_sent_without_a_deadline_where_the_exchange_refuses_it""",
    "A futures price whose time makes no sense makes it measure again, and a price that is old stays old.": """
        tests/venues/test_futures_as_it_is.py::test_a_price_is_as_old_as_the_exchange_says
        tests/venues/test_futures_as_it_is.py::test_a_clock_that_differs_makes_no_price_old_and_is_told""",
    "The row is passed over and everything else goes on; an order of ours is asked about another way.": """
        tests/venues/test_spot_documented.py::test_rows_that_lack_fields_silence_nothing
        tests/venues/test_spot_documented.py::test_a_row_of_ours_that_cant_be_read_is_asked_for""",
    # the console hangs
    "Run the command above.": "tests/emergency/test_processes.py::test_beside_a_console_that_hangs_and_wakes",
    "It asks the engine first, and ends once the engine has made the account flat.": """
        tests/cli/test_beside.py::test_flatten_beside_a_running_engine_closes_everything
        tests/emergency/test_asking.py::test_the_receipt_of_this_intent_counts
        tests/emergency/test_asking.py::test_an_older_receipt_says_nothing""",
    "An engine that does not answer within 3 s, refuses, or gets no further for 15 s is passed over:"
    " the command goes to the exchange itself.": """
        tests/emergency/test_asking.py::test_who_does_not_acknowledge_is_passed_over
        tests/emergency/test_asking.py::test_a_refusal_is_not_waited_out
        tests/emergency/test_asking.py::test_progress_keeps_it_from_being_passed_over
        tests/emergency/test_processes.py::test_a_refusal_is_not_waited_out
        tests/cli/test_incidents.py::test_the_times_that_the_readme_names""",
    "It ends the hung console only once the exchange has answered and the console is proved to hold the account.": """
        tests/emergency/test_wire.py::test_nobody_is_ended_for_an_exit_that_cannot_reach_the_venue
        tests/emergency/test_processes.py::test_nobody_is_ended_whom_the_lock_names_without_proof""",
    "Run it as often as you like: one works, the others follow it.": """
        tests/emergency/test_processes.py::test_several_at_once_sell_once
        tests/emergency/test_processes.py::test_another_last_exit_is_followed_and_never_ended""",
    "A console that wakes up later books what was closed, and sells nothing again.": """
        tests/runtime/test_mark.py::test_an_engine_that_wakes_after_a_last_exit_sells_nothing_again
        tests/emergency/test_processes.py::test_beside_a_console_that_wakes_while_it_works""",
    # what the command ends with
    "0: two pictures of the exchange in a row show nothing of ours held and no order of ours.": """
        tests/emergency/test_closing.py::test_views_that_lag_do_not_say_flat
        tests/emergency/test_any_account.py::test_nothing_is_sold_twice_and_flat_is_flat
        tests/emergency/test_wire.py::test_it_gets_flat_and_leaves_alone_what_is_not_ours""",
    "1: not flat after two minutes; a stop rests under what is left, and a line for each thing says what is held"
    " and that nobody watches it now.": """
        tests/emergency/test_closing.py::test_out_of_time_a_stop_rests_under_all_that_is_left""",
    "2: it can't be tried: no key, an unknown account, settings that are no use.": """
        tests/emergency/test_wire.py::test_without_a_key_nothing_is_tried
        tests/emergency/test_processes.py::test_an_account_that_nobody_knows_is_not_made
        tests/cli/test_incidents.py::test_settings_that_are_no_use_are_told_and_nothing_is_tried""",
    "Orders of others, and coins that lay there before, are left alone and named.": """
        tests/emergency/test_closing.py::test_own_coins_and_foreign_orders_stay_and_are_named""",
    "What nobody can attribute is never passed over: it ends with 1, and `--all-of SYMBOL` closes that too, whoever bought it,"
    " once you have typed the symbol.": """
        tests/emergency/test_closing.py::test_what_nobody_can_attribute_is_never_passed_over
        tests/emergency/test_closing.py::test_all_of_a_symbol_is_closed_where_the_operator_says_so
        tests/cli/test_incidents.py::test_all_of_a_symbol_is_closed_only_once_the_symbol_was_typed""",
    "Closes are bounded at 1, 3, 9 and 25 % from the best price; only `--any-price` lets the next go without a bound.": """
        tests/emergency/test_closing.py::test_closes_carry_a_bound_that_widens
        tests/cli/test_incidents.py::test_only_the_operators_word_lets_a_close_go_at_any_price
        tests/cli/test_incidents.py::test_the_times_that_the_readme_names""",
    # the console or the machine died
    "Stops that rest at the venue work on; nothing watches the rest.": """
        tests/hazards/test_protection.py::test_an_engine_that_ends_takes_no_stop_with_it
        tests/cli/test_looking.py::test_no_command_that_looks_touches_a_paper_account""",
    "`flatout status` says what was open, and exits with 5 if anything was; `flatout status --venue` asks the venue.": """
        tests/cli/test_looking.py::test_no_command_that_looks_touches_a_paper_account
        tests/cli/test_looking.py::test_status_of_an_account_that_ended_flat_is_done
        tests/cli/test_looking.py::test_no_command_that_looks_sends_anything_to_the_exchange""",
    "After a last exit `status` says how that ended, too.": """
        tests/cli/test_looking.py::test_status_says_that_a_last_exit_was_at_work""",
    "Neither can send an order.": """
        tests/cli/test_looking.py::test_what_looks_never_loads_what_sends
        tests/cli/test_looking.py::test_the_line_of_a_looking_venue_carries_nothing_but_questions""",
    "Open the console again: it finds every position and order as it was.": """
        tests/cli/test_beside.py::test_a_killed_engine_finds_everything_as_it_was
        tests/runtime/test_flows.py::test_an_end_in_the_middle_loses_and_doubles_nothing""",
    # the disk
    "Entries stop, exits go on from memory, and an alert stands (JOURNAL_FAILING).": """
        tests/runtime/test_write_ahead.py::test_while_the_journal_fails_entries_stop_exits_work_and_nothing_is_lost
        tests/runtime/test_supervision.py::test_an_entry_waits_for_a_slow_disk_and_then_leaves_once
        tests/runtime/test_supervision.py::test_while_the_journal_fails_exits_stops_and_cancels_leave_at_once""",
    "Once the disk works all of it is written.": """
        tests/runtime/test_supervision.py::test_a_disk_that_comes_and_goes_loses_nothing""",
    "An exit that went out meanwhile and was forgotten in a crash is recognised by its id when the venue shows it.": """
        tests/desk/test_settling.py::test_an_exit_that_a_crash_made_us_forget_is_recognised_by_its_id""",
    "At an exchange the last exit needs no room on the disk.": """
        tests/cli/test_incidents.py::test_the_last_exit_needs_no_room_on_the_disk
        tests/account/test_records.py::test_the_room_for_a_mark_is_there_before_it_is_needed""",
    # traded elsewhere
    "Each difference is one alert (DIFFERENCE), and nothing is changed before you say so.": """
        tests/desk/test_reconcile.py::test_a_difference_stands_until_it_is_gone
        tests/desk/test_settling.py::test_a_difference_stands_side_by_side_with_what_may_be_done""",
    "`V` shows ours beside the venue's: `a` takes a holding into custody, `f` leaves it as the venue has it, `x` closes it;"
    " an order is left with `f` and cancelled with `x`.": """
        tests/console/test_truth.py::test_each_line_stands_beside_the_venues
        tests/console/test_truth.py::test_one_key_settles_the_chosen_line
        tests/desk/test_settling.py::test_adopted_is_in_custody_and_naked_until_it_has_a_stop
        tests/desk/test_settling.py::test_flattened_is_adopted_and_closed_at_once
        tests/desk/test_settling.py::test_forgotten_on_futures_is_left_alone_and_not_told_again
        tests/desk/test_settling_corners.py::test_a_spot_holding_that_is_forgotten_is_cash_and_nothing_else
        tests/desk/test_settling.py::test_an_order_that_nobody_here_knows_is_cancelled_or_left_alone""",
    "Coins of your own that leave are told (WITHDRAWN), and what is ours stays ours.": """
        tests/desk/test_unexplained.py::test_coins_of_the_owner_that_leave_are_told_and_ours_stay_ours
        tests/desk/test_unexplained.py::test_what_is_ours_is_never_booked_as_withdrawn""",
    # slept
    "The venue is asked before anything else, and entries wait for its word (SLEPT).": """
        tests/runtime/test_sleep.py::test_after_a_hang_the_venue_is_asked_before_anything_else
        tests/desk/test_wakes.py::test_after_a_sleep_entries_wait_for_a_picture_of_a_later_time""",
    "There is nothing to press.": """
        tests/runtime/test_sleep.py::test_after_a_hang_the_venue_is_asked_before_anything_else
        tests/runtime/test_sleep.py::test_a_jump_of_the_machines_clock_is_told_and_asked_about_once""",
    # the journal was lost or set back
    "Entries wait, each order and execution that it does not explain is listed (UNEXPLAINED), and nothing that protects is cancelled.": """
        tests/desk/test_unexplained.py::test_the_stop_of_a_lost_journal_is_listed_and_not_cancelled
        tests/desk/test_unexplained.py::test_executions_with_our_name_are_listed_and_what_has_no_stop_is_naked
        tests/desk/test_unexplained.py::test_a_journal_that_was_set_back_is_told_and_entries_wait
        tests/runtime/test_mark.py::test_a_home_that_knows_more_than_the_journal_is_told_at_the_start""",
    "What is held without a stop is told as NAKED.": """
        tests/desk/test_unexplained.py::test_executions_with_our_name_are_listed_and_what_has_no_stop_is_naked""",
    "`V` settles it: `a` takes a holding over with its stop, `f` leaves, `x` closes; `:resume` opens entries"
    " and leaves alone what is still listed.": """
        tests/desk/test_unexplained.py::test_taking_over_makes_a_position_with_its_stop
        tests/desk/test_unexplained.py::test_leaving_an_order_is_remembered
        tests/desk/test_settling.py::test_flattened_is_adopted_and_closed_at_once
        tests/desk/test_unexplained.py::test_the_operator_opens_entries_by_name""",
    "`F` closes what is unexplained, too.": """
        tests/desk/test_unexplained.py::test_a_flatten_cancels_and_closes_what_is_unexplained_too""",
    "`flatout journal verify` says whether the journal was set back.": """
        tests/cli/test_set_back.py::test_verify_says_what_the_home_knows_and_the_journal_does_not""",
    # another console
    "A second console on this machine looks on, and says who has it; `F` there runs the last exit.": """
        tests/cli/test_beside.py::test_a_second_session_looks_on
        tests/console/test_flows.py::test_read_only_says_who_holds_the_account
        tests/console/test_last_exit.py::test_a_read_only_console_runs_the_last_exit""",
    "`flatout --take-over` asks for the account: the other stops entries, finishes what is on its way, and looks on.": """
        tests/cli/test_pen.py::test_a_second_console_that_asks_is_handed_the_account_and_the_first_looks_on
        tests/runtime/test_pen.py::test_whoever_is_asked_for_the_pen_sends_no_entry_any_more_and_finishes_what_is_on_the_line""",
    "Exit code 3 says that it keeps it, or does not answer.": """
        tests/cli/test_pen.py::test_a_holder_that_does_not_answer_is_not_taken_over_by_asking
        tests/journal/test_keeper.py::test_a_holder_that_lives_and_keeps_it_is_not_replaced""",
    "With a journal in PostgreSQL a second machine is refused the same way; `--take-over --dead` says that the first is off,"
    " and takes the account after 14 s of silence.": """
        tests/cli/test_pen.py::test_the_second_home_of_a_shared_journal_is_refused_with_exit_code_3
        tests/journal/test_keeper.py::test_a_silent_holder_is_replaced_on_a_persons_word_only_and_after_its_permit
        tests/cli/test_incidents.py::test_the_times_that_the_readme_names""",
    "Who lost it sends nothing more, and says who has it (LEASE_LOST).": """
        tests/runtime/test_pen.py::test_who_loses_the_pen_is_told_by_whom_and_decides_nothing_more
        tests/cli/test_pen.py::test_a_stopped_holder_that_wakes_after_its_lease_was_taken_sends_nothing""",
    # another engine
    "An order of our name appeared that this engine did not send (SECOND_ENGINE).": """
        tests/desk/test_unexplained.py::test_an_order_of_ours_that_appears_while_we_run_is_another_engine""",
    "Entries wait until `:resume`; the order is not cancelled.": """
        tests/desk/test_unexplained.py::test_an_order_of_ours_that_appears_while_we_run_is_another_engine""",
    # the same key
    "Kraken refuses nonces that are not the largest.": """
        tests/doors/test_nonces.py::test_where_no_nonce_is_large_enough_it_is_said_with_the_remedy""",
    "The console goes on with larger ones, and the alert names the remedy: a key of its own for each program, or a nonce window at Kraken.": """
        tests/doors/test_nonces.py::test_exits_get_through_beside_a_program_with_larger_nonces
        tests/doors/test_nonces.py::test_the_engine_raises_an_alert_that_names_it""",
    # held back
    "Nothing leaves that sells more than the venue is proved to hold of ours; the alert tells the evidence.": """
        tests/gate/test_gate.py::test_an_exit_beyond_the_proof_waits_for_one_more_picture_and_then_never_leaves
        tests/gate/test_evidence.py::test_what_is_ours_may_leave_and_no_more
        tests/desk/test_alerts.py::test_each_alert_is_raised_by_a_story[HELD_BACK]""",
    "The venue is asked at once, and the exit leaves once that is proved.": """
        tests/cli/test_incidents.py::test_what_is_held_back_leaves_once_it_is_proved_or_once_on_our_books[True]""",
    "Without an answer it leaves after some seconds on our own books, once (SENT_ON_BOOKS), unless coins of your own lie there:"
    " those are never sold on belief.": """
        tests/cli/test_incidents.py::test_what_is_held_back_leaves_once_it_is_proved_or_once_on_our_books[False]
        tests/gate/test_gate.py::test_after_five_seconds_without_a_picture_an_exit_goes_on_our_books_once
        tests/gate/test_gate.py::test_coins_of_the_trader_are_never_sold_on_our_books""",
    "Nor does anything leave by a journal that is not the newest.": """
        tests/gate/test_gate.py::test_books_that_are_known_to_be_old_let_nothing_leave_before_their_first_picture
        tests/desk/test_unexplained.py::test_a_journal_that_is_not_the_newest_is_left_alone_only_once_it_was_compared""",
    "Then `V` lists the exit, says what is at risk, and `s` lets it leave all the same, once.": """
        tests/cli/test_incidents.py::test_what_is_held_back_beside_the_owners_coins_leaves_on_the_operators_word_alone
        tests/console/test_truth.py::test_an_exit_that_waits_for_a_word_says_what_it_risks""",
    "If the alert stands, `V` shows what the venue says.": """
        tests/console/test_truth.py::test_each_line_stands_beside_the_venues""",
    # halted
    "Nothing opens, and nothing closes by itself; a target or a trail that nobody watches says `off`,"
    " a stop that only this process watched is NAKED.": """
        tests/told/test_halt_and_quit.py::test_a_halt_is_a_reason_that_names_its_end
        tests/told/test_halt_and_quit.py::test_while_halted_a_target_and_a_trail_are_watched_by_nobody_and_said_so
        tests/told/test_halt_and_quit.py::test_a_stop_that_only_this_process_watches_is_naked_while_halted""",
    "`:unhalt` and the account's name end it.": """
        tests/told/test_halt_and_quit.py::test_a_halt_is_ended_on_the_screen_by_the_accounts_name""",
    "`F` works while it lasts.": """
        tests/told/test_halt_and_quit.py::test_a_flatten_works_while_halted""",
    # keys and themes
    "It is left out alone, and a banner names it until `a`.": """
        tests/console/test_commands.py::test_a_bad_entry_is_refused_alone_and_the_rest_is_used
        tests/console/test_commands.py::test_each_bad_entry_is_named_until_it_is_acknowledged
        tests/console/test_themes.py::test_a_theme_that_is_not_there_is_one_message_and_the_default_is_used""",
    "Flatten keeps a key whatever the settings say.": """
        tests/console/test_commands.py::test_whatever_a_map_says_every_command_keeps_a_key_and_flatten_has_one""",
    "A theme on the command line that is not there ends it with exit code 2.": """
        tests/console/test_themes.py::test_an_unknown_theme_on_the_command_line_is_one_sentence_and_exit_code_2""",
    # notifications
    "The alert stands until one arrives; what waits is tried again after 1, 2, 5, 10, 30 and then each 60 s, and goes"
    " once it works.": """
        tests/outlets/test_notify.py::test_an_engine_says_that_an_outlet_fails_and_sends_what_waits_once_it_works
        tests/outlets/test_notify.py::test_a_line_is_sent_again_under_its_name_until_it_has_arrived""",
    "Nothing in the engine waits for it.": """
        tests/outlets/test_notify.py::test_a_way_that_hangs_holds_up_nobody_and_of_too_much_the_oldest_goes""",
    "`flatout notify test` says what becomes of a message, outlet by outlet.": """
        tests/outlets/test_notify.py::test_a_command_tries_each_outlet_and_says_what_became_of_it""",
    # the screen
    "The screen loses frames, the engine goes on.": """
        tests/terminal/test_stalled.py::test_the_engine_goes_on_says_so_and_the_screen_is_whole_afterwards
        tests/terminal/test_writer.py::test_a_write_never_waits""",
    "After 5 s the alert TERMINAL_STALLED goes to the log and the notifications.": """
        tests/terminal/test_stalled.py::test_the_engine_goes_on_says_so_and_the_screen_is_whole_afterwards
        tests/cli/test_incidents.py::test_the_times_that_the_readme_names""",
    "The screen is painted whole when the terminal reads again.": """
        tests/terminal/test_stalled.py::test_the_engine_goes_on_says_so_and_the_screen_is_whole_afterwards
        tests/terminal/test_writer.py::test_what_was_lost_is_painted_again""",
    "SIGTERM and `q` never wait for the terminal.": """
        tests/terminal/test_stalled.py::test_sigterm_leaves_within_two_seconds_and_the_terminal_is_restored
        tests/terminal/test_stalled.py::test_quitting_never_waits_for_the_terminal""",
    "In the middle of a flatten they, and a terminal that is closed, wait until it has ended, 20 s at most: who left at"
    " once left positions whose stops were cancelled already.": """
        tests/session/test_leaving.py::test_a_flatten_ends_before_the_engine_does
        tests/session/test_leaving.py::test_a_flatten_that_does_not_end_holds_nobody_for_ever""",
    "The console closes the engine in order, writes the traceback to `flatout.log`, says one sentence on standard error"
    " and exits with 1.": "tests/terminal/test_panic.py::test_a_panic_closes_the_engine_in_order",
    # opening
    "A lost reply is asked for again, and the screen says which question it waits for; `q` leaves.": """
        tests/session/test_opening.py::test_the_first_reply_to_each_question_is_lost_and_the_account_opens
        tests/terminal/test_waiting.py::test_the_screen_says_what_it_waits_for_and_opens_when_it_is_answered
        tests/terminal/test_waiting.py::test_q_leaves_while_it_waits_and_the_reason_stands_on_standard_error""",
    "A refused key or a broken journal ends the opening with the reason on standard error and in the log, and exit code 2.": """
        tests/terminal/test_waiting.py::test_a_key_that_is_refused_ends_it_with_the_reason
        tests/terminal/test_no_terminal.py::test_a_journal_that_is_none_is_told_after_the_terminal_is_restored""",
    "Without a terminal the console says so in one sentence and exits with 2.": """
        tests/terminal/test_no_terminal.py::test_pipes_are_one_sentence_and_exit_code_2""",
    "It is not opened, and the sentence says what is wrong; only a flatten goes on.": """
        tests/doors/test_secrets.py::test_a_folder_that_others_could_have_touched_is_not_opened
        tests/doors/test_secrets.py::test_the_commands_say_so_in_a_sentence""",
    # the log
    "What happened is in `flatout.log` in the account's home, a line of JSON per change with the ids of order and position:"
    " INFO what was done, WARNING what was refused or is unknown, ERROR what wants a hand now.": """
        tests/runtime/test_log.py::test_each_change_is_one_line_with_the_ids_that_lead_on
        tests/runtime/test_log.py::test_refusals_and_doubts_are_warnings""",
    "It rotates.": "tests/runtime/test_log.py::test_the_log_rotates",
    "No key, password or address of a notification gets into it, nor anything that a terminal would obey; the same holds for all"
    " that a command prints and for exports, where a cell that a spreadsheet would run begins with `'`.": """
        tests/runtime/test_log.py::test_no_secret_is_written_whatever_carries_it
        tests/hazards/test_secrets.py::test_a_session_in_which_everything_fails_tells_no_secret
        tests/doors/test_text.py::test_the_log_holds_nothing_that_a_terminal_obeys
        tests/doors/test_text.py::test_no_command_lets_the_terminal_obey_a_venue
        tests/doors/test_text.py::test_a_spreadsheet_is_given_no_formula""",
}  # fmt: skip
"""From a sentence to the tests that prove it."""


def text(page: str) -> str:
    return (TOP / page).read_text(encoding="utf-8")


def sentences(page: str) -> list[str]:
    """The chapter's sentences, on one line each, without the names of the incidents."""
    chapter = text(page).split(TITLE, 1)[1].split("\n## ", 1)[0]
    found: list[str] = []
    for block in re.split(r"\n\s*\n|\n(?=- )", chapter.strip()):
        plain = " ".join(LABEL.sub("", block.strip()).split())
        found += [part for part in re.split(r"(?<=[.!?]) (?=[A-Z`0-9\[])", plain) if part]
    return found


def test_the_chapter_comes_right_after_the_first_minute() -> None:
    titles = re.findall(r"^## .*\n", text("README.md"), flags=re.MULTILINE)
    assert titles.index(TITLE) == titles.index(BEFORE) + 1


def test_each_sentence_names_its_tests() -> None:
    found = {sentence: page for page in PAGES for sentence in sentences(page)}
    assert len(sentences("docs/runbook.md")) > 50, "the chapter was not read"
    assert [sentence for sentence in found if sentence not in PROVED] == [], (
        "sentences that nothing proves"
    )
    assert [sentence for sentence in PROVED if sentence not in found] == [], (
        "proofs of what nobody says any more"
    )


def test_the_runbook_leaves_out_nothing_that_the_readme_says() -> None:
    whole = {*sentences("docs/runbook.md")}
    assert [
        sentence
        for sentence in sentences("README.md")
        if sentence not in whole and "runbook" not in sentence
    ] == []


def test_each_test_that_a_sentence_names_is_there() -> None:
    nodes = sorted({node for named in PROVED.values() for node in named.split()})
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        *nodes,
    ]
    told = subprocess.run(
        command, cwd=TOP, capture_output=True, text=True, timeout=120, check=False
    )
    missing = re.findall(
        r"^ERROR: (?:not found: |file or directory not found: )?(.*)$",
        told.stdout + told.stderr,
        flags=re.MULTILINE,
    )
    assert told.returncode == 0, (
        f"no such test: {missing or told.stdout[-2000:] + told.stderr[-2000:]}"
    )
