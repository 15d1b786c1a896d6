"""What is shown of a channel: its parameters with comments and units, those of its bases too, and its cuts."""

from ampeld.daemon.channels import load_channel
from ampeld.daemon.files import read_channel
from ampeld.daemon.settings import Settings
from ampeld.testing.describe import describe_channel

DERIVED = '''
from bright import Bright


class Tight(Bright):
    """Bright and round."""

    max_elong: float = 1.2  # major by minor axis

    def cuts(self, a):
        yield from super().cuts(a)
        yield "round", (a.elong <= self.max_elong) & (a.fwhm < 5)

    def accept(self, alert):
        return True
'''


def described(path):
    files = read_channel(path)
    return describe_channel(load_channel(files), files, Settings())


def test_parameters_have_value_default_unit_and_comment(channels):
    found = described(channels / "bright.toml")
    assert found.doc == "Real and bright.\n\nNothing else."
    rb, mag = found.parameters
    assert (rb.name, rb.value, rb.default, rb.type, rb.unit, rb.is_set) == ("min_rb", 0.5, 0.5, "float", None, False)
    assert rb.doc == "real-bogus score, 0 to 1"
    assert (mag.name, mag.value, mag.default, mag.unit, mag.is_set) == ("max_mag", 19.0, None, "mag AB", True)
    assert (found.contact, found.accept, found.survey) == ("me@example.org", False, "ztf")
    assert found.source.endswith("bright.py")


def test_cuts_are_conditions_with_the_names_of_parameters(channels):
    (channels / "tight.py").write_text(DERIVED)
    (channels / "tight.toml").write_text('filter = "tight.py:Tight"\ncontact = "x"\n[params]\nmax_mag = 18\n')
    found = described(channels / "tight.toml")
    assert found.cuts == {
        "real": "rb >= min_rb",
        "bright": "mag <= max_mag",
        "round": "(elong <= max_elong) & (fwhm < 5)",
    }
    assert found.accept
    assert [parameter.doc for parameter in found.parameters] == [
        "real-bogus score, 0 to 1",
        "of the alert itself [mag AB]",
        "major by minor axis",
    ]
