"""Several draw one result: what they make together is what one would have made. The studio is that of the segments."""

import pytest
from segment_studio import FRAMES, SEGMENT, Studio, made, numbers

from heygem.errors import EncodeError, ShareDrawn
from heygem.pipeline.progress import Stage
from heygem.pipeline.shares import GROUNDWORK, WHOLE, Share, gather


@pytest.fixture
def draw(inputs, tmp_path):
    """Draws a share in a folder of its own; its studio, and how many frames were drawn."""

    def draw(share, **changes):
        studio = Studio(tmp_path / f"{share.number}-of-{share.of}", *inputs)
        studio.folder.mkdir()
        ticks = []
        with pytest.raises(ShareDrawn):
            studio.render(lambda stage, done: ticks.append((stage, done)), share=share, **changes)
        return studio, max([done for stage, done in ticks if stage is Stage.DRAWING], default=0)

    return draw


def test_shares_cover_all_segments_once():
    segments = list(range(7))
    for of in range(1, 9):
        shares = [Share(number, of).among(segments) for number in range(of)]
        assert [segment for share in shares for segment in share] == segments
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert WHOLE.is_whole and list(WHOLE.among(segments)) == segments
    assert list(GROUNDWORK.among(segments)) == [] and not GROUNDWORK.is_whole


def test_three_draw_what_one_would_have_drawn(draw, inputs, tmp_path, whole):
    studios = [draw(Share(number, 3))[0] for number in range(3)]
    assert [numbers(studio.segments) for studio in studios] == [[0], [1], [2, 3]]
    joiner = Studio(tmp_path / "joiner", *inputs)
    joiner.output.parent.mkdir(parents=True)
    gather(joiner.segments, [studio.segments for studio in studios])
    assert joiner.render() == 0  # nothing was left to draw
    assert made(joiner.output) == made(whole.output)
    assert joiner.left() == ["out.mp4"]


def test_what_a_share_lacks_is_drawn_by_who_joins(draw, inputs, tmp_path, whole):
    first, last = (draw(Share(number, 3))[0] for number in (0, 2))
    joiner = Studio(tmp_path / "joiner", *inputs)
    joiner.output.parent.mkdir(parents=True)
    gather(joiner.segments, [first.segments, last.segments])
    assert joiner.render() == SEGMENT
    assert made(joiner.output) == made(whole.output)


def test_a_share_that_others_weights_drew_is_left_out(draw, inputs, tmp_path):
    ours, theirs = draw(Share(0, 2))[0], draw(Share(1, 2), identity="weights 2")[0]
    joiner = Studio(tmp_path / "joiner", *inputs)
    joiner.output.parent.mkdir(parents=True)
    gather(joiner.segments, [ours.segments, theirs.segments])
    assert numbers(joiner.segments) == [0, 1]
    assert joiner.render() == FRAMES - 2 * SEGMENT


def test_the_groundwork_draws_nothing_and_leaves_the_faces(draw):
    studio, drawn = draw(GROUNDWORK)
    assert drawn == 0 and not studio.segments.exists()
    assert len(list(studio.tracks.glob("*.npz"))) == 1


def test_a_folder_that_cannot_be_written_is_told(draw, tmp_path):
    studio, _ = draw(Share(0, 2))
    with pytest.raises(EncodeError):
        gather(tmp_path / "gone" / "segments", [studio.segments])
