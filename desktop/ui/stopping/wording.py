"""What the stop ladder and the question at quitting say: pure functions, values to sentences."""

from __future__ import annotations

from desktop.core.bill import money
from desktop.core.explain import explain
from desktop.core.leaving import Ends, Left
from desktop.core.phases import Phase
from desktop.core.stopping import Course, Offer, Rung, Seen, Standing
from desktop.core.texts import Texts
from desktop.ui.diary.wording import span

_BEFORE_READY = (Phase.CHECKING, Phase.PREPARING, Phase.LOADING)  # lease and idle time wait for it


def sentences(texts: Texts, *said: str) -> str:
    """Return sentences after one another; Chinese has no space between them."""
    return ("" if texts.language == "zh" else " ").join(filter(None, said))


def rate(standing: Standing, texts: Texts) -> str:
    """Return what an hour costs, "" where that is not known."""
    if not standing.rate:
        return ""
    return texts("amount.per-hour", money=money(standing.rate, standing.currency))


# -- the ladder ------------------------------------------------------------------------------------


def question(offer: Offer, texts: Texts) -> str:
    """Return the question above the rungs."""
    only_on = offer.standing.phase is Phase.OFF
    return texts("stopping.title-off" if only_on else "stopping.title", host=offer.standing.name)


def name(rung: Rung, offer: Offer, texts: Texts) -> str:
    """Return what a rung is called."""
    match rung:
        case Rung.SERVER if offer.standing.phase is Phase.FAILED:
            return texts["stopping.server-again"]
        case Rung.POWER_OFF if offer.standing.phase is Phase.OFF:
            return texts["stopping.power-off-only"]
        case Rung.CONSOLE if offer.provider is None:
            return texts["stopping.console-unknown"]
        case Rung.CONSOLE:
            return texts("stopping.console", provider=_provider(offer, texts))
    return texts[f"stopping.{rung.value}"]


def consequence(rung: Rung, offer: Offer, texts: Texts) -> str:
    """Return what comes of a rung, and what it costs or saves."""
    match rung:
        case Rung.SERVER:
            what = texts["stopping.server-what"]
            return sentences(texts, what, _priced("stopping.still-billing", offer.standing, texts))
        case Rung.POWER_OFF:
            days = offer.provider.kept_days if offer.provider else 0
            return sentences(
                texts,
                _priced("stopping.power-off-what", offer.standing, texts),
                texts["stopping.card"],
                texts("stopping.kept", days=days) if days else "",
            )
        case Rung.CONSOLE:
            trap = offer.provider.trap[texts.language] if offer.provider else ""
            return trap or texts["stopping.console-unknown-what"]
    return texts["stopping.reply-what"]


def trap(offer: Offer, texts: Texts) -> str:
    """Return what people lose money or data by at this provider, where no rung has said it."""
    if offer.provider is None or Rung.CONSOLE in offer.rungs:
        return ""
    said = offer.provider.trap[texts.language]
    return texts("stopping.trap", provider=_provider(offer, texts), trap=said)


def note(offer: Offer, texts: Texts) -> str:
    """Return what is said once a server was stopped without a question, because there was none."""
    return texts("stopping.note", host=offer.standing.name, until=until_off(offer.standing, texts))


def until_off(standing: Standing, texts: Texts) -> str:
    """Return that the host goes on being billed."""
    return _priced("stopping.until-off", standing, texts)


def _priced(key: str, standing: Standing, texts: Texts) -> str:
    price = rate(standing, texts)
    return texts(key, rate=price) if price else texts[f"{key}-unpriced"]


def _provider(offer: Offer, texts: Texts) -> str:
    return offer.provider.name[texts.language] if offer.provider else ""


# -- what was seen ---------------------------------------------------------------------------------


def heading(course: Course, host: str, texts: Texts) -> str:
    """Return how a stop stands, in a few words: never more than was seen."""
    if course.error is not None:
        return explain(course.error, texts.language).title
    if not course.is_over:
        off = course.rung is Rung.POWER_OFF
        return texts("stopping.doing-off" if off else "stopping.doing", host=host)
    if course.host is Seen.DONE:
        return texts("stopping.done-off", host=host)
    done = course.server is Seen.DONE
    return texts("stopping.done" if done else "stopping.done-nothing", host=host)


def steps(course: Course, texts: Texts) -> tuple[tuple[Seen, str], ...]:
    """Return each step and what was seen of it."""
    server = "lost" if course.is_lost and course.server is Seen.RUNNING else course.server.value
    told = [(course.server, texts[f"stopping.server-{server}"])]
    if course.rung is Rung.POWER_OFF:
        told.append((course.host, _of_host(course, texts)))
    return tuple(told)


def _of_host(course: Course, texts: Texts) -> str:
    if course.host is not Seen.RUNNING:
        return texts[f"stopping.host-{course.host.value}"]
    if not course.silent:
        return texts["stopping.host-asked"]
    return texts("stopping.host-running", silent=course.silent, needed=course.needed)


def result(course: Course, standing: Standing, texts: Texts) -> str:
    """Return what follows for the bill, or why it was not seen and what to do; "" until then."""
    if course.error is not None:
        why = explain(course.error, texts.language)
        return sentences(texts, why.detail, why.hint)
    if not course.is_over:
        return ""
    if course.host is Seen.DONE:
        return texts["stopping.check-bill"]
    return until_off(standing, texts)


# -- quitting --------------------------------------------------------------------------------------


def remains(left: Left, texts: Texts) -> str:
    """Return what becomes of a host that is left alone."""
    if left.ends in (Ends.NOTHING_RUNS, Ends.UNKNOWN, Ends.WAS_LEFT, Ends.NEVER):
        return sentences(texts, texts[f"quitting.{left.ends.value}"], texts["quitting.then-on"])
    ended = texts(f"quitting.{left.ends.value}", time=span(left.seconds, texts))
    if left.standing.phase in _BEFORE_READY and left.ends is not Ends.LIMIT:
        ended = texts("quitting.first", then=ended)
    return sentences(
        texts,
        ended,
        texts["quitting.at-latest"] if left.limit else "",
        texts["quitting.then-off" if left.then_off else "quitting.then-on"],
    )
