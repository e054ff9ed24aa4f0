import json
from pathlib import Path
from xml.etree import ElementTree

from models.training.loop.plot import plot_metrics


def test_losses_and_validation_are_drawn_as_curves(tmp_path: Path) -> None:
    records = [{"iteration": n, "loss": {"discs & co": 2.0 / n}} for n in range(20, 800, 20)]
    records.append({"iteration": 800, "validation": {"left": 0.7}, "mean": 0.7})
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text("\n".join(json.dumps(record) for record in records))
    plot_metrics(metrics, tmp_path / "metrics.svg")
    svg = ElementTree.parse(tmp_path / "metrics.svg").getroot()
    lines = [node for node in svg if node.tag.endswith("polyline")]
    texts = [node.text for node in svg if node.tag.endswith("text")]
    assert len(lines) == 2
    assert "loss, discs & co" in texts
    assert "validation J&F" in texts
