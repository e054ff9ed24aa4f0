"""The tools of one canvas, and which of them is in hand."""

from app.gui.canvas.tools.brush import LARGEST, SMALLEST, BrushTool
from app.gui.canvas.tools.polygon import PolygonTool
from app.gui.canvas.tools.prompts import BoxTool, PointsTool
from app.gui.canvas.tools.select import SelectTool
from app.gui.canvas.tools.tool import CanvasTool, Tool

_STEP = 1.15  # one press of a bracket, one notch of the wheel


class Toolbox:
    """Keeps one of each tool, so that brush sizes and the last point stay over a change."""

    def __init__(
        self,
        select: SelectTool,
        points: PointsTool,
        box: BoxTool,
        polygon: PolygonTool,
        brushes: tuple[BrushTool, BrushTool],
    ) -> None:
        """Keep these tools; `brushes` are brush and eraser."""
        self.polygon = polygon
        self._brushes = brushes
        self._tools: dict[Tool, CanvasTool] = {
            Tool.SELECT: select,
            Tool.POINTS: points,
            Tool.BOX: box,
            Tool.POLYGON: polygon,
            Tool.BRUSH: brushes[0],
            Tool.ERASER: brushes[1],
        }
        self.chosen = Tool.SELECT

    @property
    def current(self) -> CanvasTool:
        """The tool in hand."""
        return self._tools[self.chosen]

    def choose(self, tool: Tool) -> None:
        """Take up another tool; what the last one was drawing is dropped."""
        self.current.put_down()
        self.chosen = tool

    def leave_frame(self, _frame: int) -> None:
        """Finish or drop what is being drawn: another frame is the current one."""
        self.current.leave_frame()

    def leave_object(self, _selected: int | None) -> None:
        """Drop what is drawn for another object than the selected one."""
        self.current.leave_object()

    def drop(self) -> None:
        """Drop what is being drawn: the video that it is of is closed."""
        for tool in self._tools.values():
            tool.put_down()

    @property
    def diameter(self) -> float:
        """The width of brush and eraser in pixels of the frame."""
        return self._brushes[0].diameter

    def set_diameter(self, diameter: float) -> None:
        """Set the width of brush and eraser."""
        for brush in self._brushes:
            brush.diameter = min(max(diameter, SMALLEST), LARGEST)

    def step_diameter(self, steps: float) -> None:
        """Make brush and eraser wider or, with negative steps, narrower: by a pixel at least."""
        wider = self.diameter * _STEP**steps
        change = round(wider) - self.diameter
        if abs(change) < 1:
            change = 1 if steps > 0 else -1
        self.set_diameter(self.diameter + change)
