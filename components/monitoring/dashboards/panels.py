"""Panels of dashboards: what is asked, how it is drawn, where it stands. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TypeVar

from components.monitoring.dashboards.grafana_sdk import (
    Builder,
    Dataquery,
    bargauge,
    common,
    common_models,
    dashboard,
    models,
    prometheus,
    prometheus_models,
    stat,
    statetimeline,
    table,
    timeseries,
    units,
)

P = TypeVar("P", bargauge.Panel, stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)
GOOD, WARNING, BAD = "green", "orange", "red"
DATASOURCE_VARIABLE = "datasource"
DATASOURCE = common_models.DataSourceRef(type_val="prometheus", uid=f"${{{DATASOURCE_VARIABLE}}}")
# Grafana fits it to the scrape interval and the width of the graph; a fixed one shows gaps or misses peaks.
RATE_INTERVAL = "$__rate_interval"
GRID = 24
HEIGHT = 8
NARROW = 4
_WIDE = 8
_MOST_IN_A_LINE = 3


@dataclass(frozen=True, kw_only=True)
class About:
    """What a panel says of itself.

    Attributes:
        title: Its title.
        description: What it shows and how to read it.
        unit: One of Grafana's units.
    """

    title: str
    description: str
    unit: str = units.Short


@dataclass(frozen=True, kw_only=True)
class Query:
    """PromQL and the legend of its series; the default shows the labels by which they differ."""

    expr: str
    legend: str = "__auto"


@dataclass(frozen=True, kw_only=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: Sequence[models.Panel]


def limits(below: str, steps: Mapping[str, str] | None = None) -> dashboard.ThresholdsConfig:
    """Thresholds: the colour below all of them, and the colour from each number on."""
    values = sorted((float(number), color) for number, color in (steps or {}).items())
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps(
            [
                models.Threshold(value=None, color=below),
                *(models.Threshold(value=value, color=color) for value, color in values),
            ]
        )
    )


def time_series(
    about: About,
    *queries: Query,
    drawn: dashboard.ThresholdsConfig | None = None,
    shaded: bool = False,
    stacked: bool = False,
) -> models.Panel:
    """Values over time; `drawn` are thresholds to draw as lines, `shaded` colours the sides of them too."""
    styles = common_models.GraphThresholdsStyleMode
    style = styles.OFF if drawn is None else styles.DASHED_AND_AREA if shaded else styles.DASHED
    stacking = common_models.StackingMode.NORMAL if stacked else common_models.StackingMode.NONE
    panel = (
        _asking(timeseries.Panel(), about, _targets(queries))
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(common_models.LegendDisplayMode.LIST)
            .placement(common_models.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_models.TooltipDisplayMode.MULTI)
            .sort(common_models.SortOrder.DESCENDING)
        )
        .thresholds(drawn or limits(GOOD))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .stacking(common.StackingConfig().mode(stacking).group("A"))
        .fill_opacity(30 if stacked else 0)
        .axis_soft_min(0)
        .grid_pos(models.GridPos(w=_WIDE, h=HEIGHT))
    )
    return panel.build()


def number(
    about: About, query: Query, colors: dashboard.ThresholdsConfig, *, decimals: int | None = None
) -> models.Panel:
    """The latest value as a number in the colour of its threshold."""
    panel = _stat(about, query).thresholds(colors)
    return (panel if decimals is None else panel.decimals(decimals)).build()


def names(about: About, query: Query) -> models.Panel:
    """The legends of the series that are there now, without their values."""
    return _stat(about, query).thresholds(limits(GOOD)).text_mode(common_models.BigValueTextMode.NAME).build()


def bars(about: About, query: Query, colors: dashboard.ThresholdsConfig) -> models.Panel:
    """The latest values as bars from 0 to 1."""
    return (
        _asking(bargauge.Panel(), about, _targets([query], instant=True))
        .thresholds(colors)
        .min(0)
        .max(1)
        .orientation(common_models.VizOrientation.HORIZONTAL)
        .display_mode(common_models.BarGaugeDisplayMode.BASIC)
        .reduce_options(_latest())
        .grid_pos(models.GridPos(w=_WIDE, h=HEIGHT))
        .build()
    )


def states(about: About, query: Query, text: str) -> models.Panel:
    """When each series was there: a red bar with a text."""
    there = models.ValueMap({"1": models.ValueMappingResult(text=text, color=BAD, index=0)})
    return (
        _asking(statetimeline.Panel(), about, _targets([query]))
        .thresholds(limits(BAD))
        .mappings([there])
        .no_value("none")
        .show_value(common_models.VisibilityMode.NEVER)
        .grid_pos(models.GridPos(w=GRID - _WIDE, h=HEIGHT))
        .build()
    )


def rows_of(
    about: About,
    queries: Sequence[Query],
    transformations: list[models.DataTransformerConfig],
    columns: Mapping[str, Mapping[str, object]],
) -> models.Panel:
    """A table of the latest values; `columns` are the properties of single columns by their name."""
    panel = (
        _asking(
            table.Panel(),
            about,
            _targets(queries, instant=True, form=prometheus_models.PromQueryFormat.TABLE),
        )
        .transformations(transformations)
        .grid_pos(models.GridPos(w=GRID, h=HEIGHT + 2))
    )
    for name, properties in columns.items():
        values = [models.DynamicConfigValue(id_val=key, value=value) for key, value in properties.items()]
        panel.override_by_name(name, values)
    return panel.build()


def resized(panel: models.Panel, width: int) -> models.Panel:
    """The same panel, of another width."""
    panel.grid_pos = models.GridPos(w=width, h=HEIGHT)
    return panel


def spread(panels: Sequence[models.Panel]) -> list[models.Panel]:
    """Panels over as few lines as hold three each, those of a line equally wide."""
    lines = -(-len(panels) // _MOST_IN_A_LINE)
    each = -(-len(panels) // lines) if lines else 1
    found: list[models.Panel] = []
    for start in range(0, len(panels), each):
        line = panels[start : start + each]
        found += [resized(panel, GRID // len(line)) for panel in line]
    return found


def placed(rows: Sequence[Row]) -> list[models.Panel | models.RowPanel]:
    """The rows' headings and panels one below the other, numbered in that order; a row without panels is left out."""
    found: list[models.Panel | models.RowPanel] = []
    top = 0
    for row in rows:
        if row.panels:
            position = models.GridPos(x=0, y=top, w=GRID, h=1)
            found.append(models.RowPanel(title=row.title, grid_pos=position))
            top = _flow(row.panels, top + 1)
            found += row.panels
    for identifier, panel in enumerate(found, start=1):
        panel.id_val = identifier
    return found


def _flow(panels: Sequence[models.Panel], top: int) -> int:
    """Sets the positions line by line; returns where the next row begins."""
    left, height = 0, 0
    for panel in panels:
        size = panel.grid_pos
        assert size is not None
        if left + size.w > GRID:
            left, top, height = 0, top + height, 0
        panel.grid_pos = models.GridPos(x=left, y=top, w=size.w, h=size.h)
        left, height = left + size.w, max(height, size.h)
    return top + height


def _asking(panel: P, about: About, targets: list[Builder[Dataquery]]) -> P:
    """A panel of any kind with what it says of itself and what it asks."""
    return (
        panel.title(about.title)
        .description(about.description)
        .unit(about.unit)
        .datasource(DATASOURCE)
        .targets(targets)
    )


def _stat(about: About, query: Query) -> stat.Panel:
    return (
        _asking(stat.Panel(), about, _targets([query], instant=True))
        .graph_mode(common_models.BigValueGraphMode.NONE)
        .reduce_options(_latest())
        .grid_pos(models.GridPos(w=NARROW, h=HEIGHT))
    )


def _latest() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _targets(
    queries: Sequence[Query],
    *,
    instant: bool = False,
    form: prometheus_models.PromQueryFormat = prometheus_models.PromQueryFormat.TIME_SERIES,
) -> list[Builder[Dataquery]]:
    found: list[Builder[Dataquery]] = []
    for letter, query in zip(ascii_uppercase, queries, strict=False):
        target = (
            prometheus.Dataquery()
            .datasource(DATASOURCE)
            .editor_mode(prometheus_models.QueryEditorMode.CODE)
            .expr(query.expr)
            .format(form)
            .legend_format(query.legend)
            .ref_id(letter)
        )
        found.append(target.instant() if instant else target.range())
    return found
