// TransferTime. The arithmetic first: exported, and compared with numpy for thousands of random curves.

/** After how many updates a curve, straight between its points, first reaches `target`; null if it does not. */
export function reached(at, curve, target) {
  if (curve[0] >= target) return at[0];
  for (let i = 1; i < curve.length; i++) {
    if (curve[i] >= target) return at[i - 1] + ((at[i] - at[i - 1]) * (target - curve[i - 1])) / (curve[i] - curve[i - 1]);
  }
  return null;
}

/** Seconds for one task: its own updates, and its share of a pre-training that `tasks` tasks use. */
export const cost = (updates, seconds, before, tasks) => ({ own: updates * seconds, share: before / tasks });

/** The PyTorch lines of the three ways. */
const LINES = ["from cnnbook.transfer import freeze, replace_head", "", "scratch = Net(4)", "",
  "tuned = Net(6)", "tuned.load_state_dict(weights)", "replace_head(tuned, 4)", "",
  "head = Net(6)", "head.load_state_dict(weights)", "freeze(replace_head(head, 4))"].join("\n");

const WAYS = ["scratch", "head", "tuned"];
const ROLE = { scratch: "input", head: "kernel", tuned: "output" };
const KEY = { scratch: "scratchKey", head: "headKey", tuned: "tunedKey" };
const LOW = 0.2, HIGH = 1;

export default demo({
  name: "transfer_time",
  state: ["target", "examples", "tasks"],
  valid: (s) => within(s.target, 30, 95) && [50, 1000].includes(s.examples) && within(s.tasks, 1, 100),

  render(ui) {
    const at = () => ui.get("at"), target = () => ui.get("target") / 100;
    const curve = (way) => ui.get("curves").find((c) => c.way === way && c.examples === ui.get("examples")).curve;
    const needs = ui.derive(() => Object.fromEntries(WAYS.map((way) => [way, reached(at(), curve(way), target())])));
    const steps = (v) => num(Math.ceil(v));
    const seconds = (v) => num(v, v < 10 ? 1 : 0);
    const costs = (way) => cost(needs()[way], ui.get("seconds")[way], way === "scratch" ? 0 : ui.get("before"), ui.get("tasks"));
    const told = (way) => (needs()[way] === null ? t("never", { way: t(way), n: at().at(-1) }) : t("reaches", { way: t(way), n: steps(needs()[way]) }));
    const say = () => [t("goal", { target: ui.get("target") }), ...WAYS.map(told)].join(" ");

    const x = (u) => (100 * u) / at().at(-1), y = (a) => (100 * (HIGH - a)) / (HIGH - LOW);
    const lines = WAYS.map((way) => svg("polyline", { fill: "none", "vector-effect": "non-scaling-stroke", "stroke-width": 2.5, class: `cnn-line-${way}` }));
    const goal = svg("line", { x1: 0, x2: 100, "vector-effect": "non-scaling-stroke", "stroke-width": 1.5, class: "cnn-goal" });
    const dots = WAYS.map((way) => h("span", { class: "cnn-dot", style: "display:none", "aria-hidden": "true" }));
    const ticks = (list, side) => h("div", { class: `cnn-ticks cnn-${side}`, "aria-hidden": "true" }, list);
    const chart = h("div", { class: "cnn-plot", role: "img" },
      ticks([20, 40, 60, 80, 100].map((p) => h("span", { style: `top:${y(p / 100)}%` }, `${p}%`)), "left"),
      h("div", { class: "cnn-area" }, svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, goal, lines), dots),
      h("span"), ticks([0, 0.5, 1].map((p) => h("span", { style: `left:${100 * p}%` }, num(p * at().at(-1)))), "below"));
    ui.watch(() => {
      setAttr(goal, "y1", y(target())); setAttr(goal, "y2", y(target()));
      WAYS.forEach((way, i) => {
        setAttr(lines[i], "points", curve(way).map((a, j) => `${x(at()[j])},${y(a)}`).join(" "));
        const n = needs()[way];
        setAttr(dots[i], "style", n === null ? "display:none" : `left:${x(n)}%;top:${y(Math.max(target(), curve(way)[0]))}%;background:var(--${ROLE[way]})`);
      });
      setAttr(chart, "aria-label", `${t("chart", { n: ui.get("examples") })} ${say()}`);
    });

    const times = bars(ui, () => WAYS.map((way) => {
      if (needs()[way] === null) return { label: t(way), parts: [], text: t("notReached"), faint: true };
      const { own, share } = costs(way);
      return { label: t(way), parts: [["padding", share], [ROLE[way], own]], text: share ? t("both", { share: seconds(share), own: seconds(own) }) : t("ownOnly", { own: seconds(own) }) };
    }));

    return [
      row(slider(ui, { key: "target", label: t("target"), min: 30, max: 95, format: (v) => `${v}%`, say }),
        choice(ui, { label: t("examples"), options: [50, 1000].map((n) => [n, t("pictures", { n })]), value: () => ui.get("examples"), choose: (examples) => { ui.set({ examples }); ui.say(say()); } })),
      block(ui, t("plot"), chart, legend(ui, () => WAYS.map((way) => [ROLE[way], t(KEY[way])]))),
      sentence(ui, say),
      row(slider(ui, { key: "tasks", label: t("tasks"), values: [1, 2, 5, 10, 20, 50, 100] })),
      block(ui, t("times"), times, text(ui, () => t("timesKey"), "cnn-note")),
      code(ui, () => LINES, t("ways")),
    ];
  },
});
