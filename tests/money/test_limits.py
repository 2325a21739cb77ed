"""What the owner writes about money, and what is said when it would not hold."""

import textwrap
from pathlib import Path

import pytest

from edged import schema, template
from edged.config import ConfigError
from edged.core.budget import Budget, Price, Prices


def read(folder: Path, text: str) -> schema.Settings:
    file = folder / "edged.toml"
    file.write_text(textwrap.dedent(text))
    return schema.read(file)


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return [str(mistake).partition("edged.toml:")[2] for mistake in caught.value.mistakes]


def test_nobody_who_writes_nothing_is_limited(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert settings.budget == Budget(day_usd=0.0, month_usd=0.0, warn_share=0.8)
    assert settings.prices == Prices()


def test_single_models_are_added_and_overruled(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        """
        [session]
        model = "llama"
        transcription = ""
        [budget]
        day_usd = 1
        month_usd = 12.5
        [prices]
        as_of = "2027-03-01"
        [prices.models.llama]
        [prices.models."gpt-realtime-2.1"]
        audio_in = 30.0
        [prices.models.deployed]
        same_as = "gpt-realtime-2.1"
        """,
    )
    prices = settings.prices
    assert settings.budget == Budget(1.0, 12.5)
    assert prices.as_of == "2027-03-01"
    assert prices.of("llama") == Price()
    overruled = Price(30.0, 0.4, 64.0, 4.0, 0.4, 24.0)
    assert prices.of("gpt-realtime-2.1") == prices.of("deployed") == overruled
    assert prices.of("gpt-realtime-2.1-mini") == Prices().of("gpt-realtime-2.1-mini")


@pytest.mark.parametrize("limit", ["day_usd", "month_usd"])
def test_a_limit_for_a_model_without_a_price_is_a_mistake(tmp_path: Path, limit: str) -> None:
    text = f"[budget]\n{limit} = 1\n[session]\nmodel = 'llama'\ntranscription = 'ear.1'\n"
    told = (
        "4: session.model: llama has no price, so that no limit holds: give it a table "
        '[prices.models."llama"], an empty one if it costs nothing',
        "5: session.transcription: ear.1 has no price, so that no limit holds: give it a table "
        '[prices.models."ear.1"], an empty one if it costs nothing',
    )
    assert mistakes(tmp_path, text) == list(told)
    assert read(tmp_path, text.replace(f"{limit} = 1", "")).session.model == "llama"
    priced = text + "[prices.models.llama]\n[prices.models.'ear.1']\nminute = 0.001\n"
    assert read(tmp_path, priced).prices.of("ear.1") == Price(minute=0.001)


def test_a_limit_for_a_model_that_has_no_price_of_the_kind_that_is_billed_is_a_mistake(
    tmp_path: Path,
) -> None:
    text = """
        [budget]
        month_usd = 5
        [prices.models.mine]
        minute = 0.06
        [session]
        model = "mine"
        """
    told = (
        "7: session.model: openai bills by the token, for which mine has no price, so that no "
        'limit holds: mend its table [prices.models."mine"]'
    )
    assert mistakes(tmp_path, text) == [told]
    by_minute = text + 'voice = "eve"\n[provider]\ndriver = "xai"\n'
    assert read(tmp_path, textwrap.dedent(by_minute.replace("        ", ""))).budget.month_usd == 5
    tokens = by_minute.replace("        ", "").replace("minute = 0.06", "audio_in = 6")
    (said,) = mistakes(tmp_path, tokens)
    assert said.startswith("7: session.model: xai bills by the minute, for which mine has no price")
    assert read(tmp_path, text.replace("month_usd = 5", "")).budget == Budget()


def test_a_name_for_nothing_is_a_mistake(tmp_path: Path) -> None:
    text = "[prices.models.mine]\nsame_as = 'gpt-reeltime'\n"
    told = '2: prices.models.mine.same_as: "gpt-reeltime" has no prices of its own'
    assert mistakes(tmp_path, text) == [told]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[budget]\nday_usd = -1\n", "2: budget.day_usd: expected a number, at least 0"),
        (
            "[budget]\nday = 1\n",
            "2: budget.day: is no setting of [budget]; did you mean `day_usd`?",
        ),
        ("[budget]\nwarn_share = 80\n", "2: budget.warn_share: expected a number, 0.1 to 1"),
        ("[prices.models.x]\naudio_in = -5\n", "2: prices.models.x.audio_in: expected a number"),
        (
            "[prices.models.x]\naudioin = 5\n",
            "2: prices.models.x.audioin: is no setting of [prices.models.x]; did you mean `audio",
        ),
    ],
)
def test_mistakes(tmp_path: Path, text: str, place: str) -> None:
    (told,) = mistakes(tmp_path, text)
    assert told.startswith(place)


def test_the_template_lists_every_price_and_explains_the_first() -> None:
    text = template.text().split("\n[prices]\n")[1].split("\n[")[0]
    tables = text.split("\n# [prices.models.")[1:]
    assert len(tables) == len(Prices().models)
    assert ["## " in table for table in tables[:-1]] == [True] + [False] * (len(tables) - 2)
    assert '"gpt-realtime-2.1"]\n' in tables[0]
    assert "# [prices.models.gpt-transcribe]\n# minute = 0.0045\n" in text
