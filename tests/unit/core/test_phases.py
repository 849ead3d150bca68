from desktop.core.phases import TRANSITIONS, Phase, may_follow


def test_every_phase_has_its_row() -> None:
    assert set(TRANSITIONS) == set(Phase)


def test_every_phase_can_be_reached_from_off() -> None:
    reached, frontier = {Phase.OFF}, [Phase.OFF]
    while frontier:
        for following in TRANSITIONS[frontier.pop()] - reached:
            reached.add(following)
            frontier.append(following)
    assert reached == set(Phase)


def test_stop_is_possible_from_every_phase() -> None:
    assert all(may_follow(phase, Phase.STOPPING) for phase in Phase if phase is not Phase.STOPPING)


def test_a_stop_never_ends_in_work() -> None:
    assert not {Phase.READY, Phase.LOADING, Phase.PREPARING} & TRANSITIONS[Phase.STOPPING]
