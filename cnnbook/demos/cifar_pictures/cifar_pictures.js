// CifarPictures. What is counted and ordered first: exported, and compared with Python in every state.

export const EACH = 20, SIDE = 32;
const NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const COUNT = EACH * NAMES.length, MODELS = ["lecture", "ours"], ORDERS = ["index", "sure", "unsure", "wrong"];
const ROWS = 4, COLUMNS = EACH / ROWS;

/** The class of picture `k`: they lie class by class. */
export const truthOf = (k) => Math.floor(k / EACH);

/** Whether a network named picture `k` rightly. */
export const isRight = (answer, k) => answer.said[k] === truthOf(k);

/** All pictures of a class, or of all classes. */
export const placesOf = (kind) => (kind === "all" ? Array.from({ length: COUNT }, (_, k) => k) : Array.from({ length: EACH }, (_, i) => EACH * NAMES.indexOf(kind) + i));

/** These pictures in an order, the earlier first where two are equal. */
export function ordered(places, order, answer) {
  const sure = (k) => answer.confidence[k], rank = { index: () => 0, sure: (k) => -sure(k), unsure: sure, wrong: (k) => (isRight(answer, k) ? sure(k) : -1 - sure(k)) }[order];
  return [...places].sort((a, b) => rank(a) - rank(b) || a - b);
}

/** How many answers are right, and the mean confidence of the right ones and of the wrong ones; null where there are none. */
export function tally(places, answer) {
  const mean = (list) => (list.length ? list.reduce((s, k) => s + answer.confidence[k], 0) / list.length : null);
  const right = places.filter((k) => isRight(answer, k)), wrong = places.filter((k) => !isRight(answer, k));
  return { right: right.length, sureRight: mean(right), sureWrong: mean(wrong) };
}

/** A probability that was stored with three digits, in percent. */
export const percent = (p) => (p <= 0 || p >= 1 ? t("about", { p: 100 * p }) : `${(100 * p).toFixed(1)}%`);

/** The Python lines that look the stored answers up; a class has 50 pictures there. */
export const lookLines = (k) => ["from cnnbook import results", "from cnnbook.data import KOREAN", "", 'stored = results.load("cifar10-pictures").data',
  `k = ${50 * truthOf(k) + (k % EACH)}`, 'truth = KOREAN[stored["label"][k]]', 'for name in ("lecture", "ours"):', "    answer = stored[name]",
  '    said = KOREAN[answer["said"][k]]', '    print(name, truth, said, answer["confidence"][k], answer["truth"][k])'].join("\n");

export default demo({
  name: "cifar_pictures",
  state: ["kind", "model", "order", "picked"],
  valid: (s) => (s.kind === "all" || NAMES.includes(s.kind)) && MODELS.includes(s.model) && ORDERS.includes(s.order)
    && within(s.picked, 0, COUNT - 1),

  render(ui) {
    const answers = ui.get("answers"), picked = () => ui.get("picked"), model = () => ui.get("model");
    const word = (c) => t(NAMES[c]);
    const list = (kind, order, who) => ordered(placesOf(kind), order, answers[who]).slice(0, EACH);
    const shown = ui.derive(() => list(ui.get("kind"), ui.get("order"), model()));
    /** Changes what is shown; the large picture stays if it still is. */
    const show = (change) => {
      const { kind, order, model: who } = { kind: ui.get("kind"), order: ui.get("order"), model: model(), ...change };
      const now = list(kind, order, who);
      ui.set({ ...change, picked: now.includes(picked()) ? picked() : now[0] });
      ui.say(count());
    };
    const saying = (k, who) => t(isRight(answers[who], k) ? "saidRight" : "saidWrong", { who: t(who), truth: word(truthOf(k)), said: word(answers[who].said[k]), p: percent(answers[who].confidence[k]) });
    const count = () => {
      const places = placesOf(ui.get("kind")), now = tally(places, answers[model()]);
      const lines = [t(ui.get("kind") === "all" ? "countAll" : "count", { name: t(ui.get("kind")), who: t(model()), n: places.length, right: now.right })];
      if (now.sureRight !== null) lines.push(t("sureRight", { p: percent(now.sureRight) }));
      if (now.sureWrong !== null) lines.push(t("sureWrong", { p: percent(now.sureWrong) }));
      return lines.join(" ");
    };

    // ---- the sheet: decoded once, and cut into pictures where they are drawn
    let sheet = null;
    const drawn = new Map();
    const paint = (canvas, k) => { if (sheet) canvas.getContext("2d").drawImage(sheet, SIDE * (k % EACH), SIDE * truthOf(k), SIDE, SIDE, 0, 0, SIDE, SIDE); };
    const small = (k) => {
      if (!drawn.has(k)) { drawn.set(k, h("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" }, String(k))); paint(drawn.get(k), k); } // its text tells the grid one picture from another
      return drawn.get(k);
    };
    createImageBitmap(new Blob([bytes(ui.get("sheet"))], { type: "image/webp" })).then((image) => {
      sheet = image;
      for (const [k, canvas] of drawn) paint(canvas, k);
      ui.refresh();
    });

    const at = (r, c) => shown()[COLUMNS * r + c];
    const cells = grid(ui, {
      label: () => t("pictures", { name: t(ui.get("kind")), who: t(model()) }),
      size: () => [ROWS, COLUMNS],
      cell: (r, c) => {
        const k = at(r, c), answer = answers[model()], wrong = !isRight(answer, k), said = wrong ? word(answer.said[k]) : "";
        return { text: k + said, marks: `${wrong ? "missed" : "hit"}${k === picked() ? " picked" : ""}`, nodes: () => [small(k), wrong && h("span", { class: "cnn-said" }, said)].filter(Boolean) };
      },
      describe: (r, c) => saying(at(r, c), model()),
      choose: (r, c) => { ui.set({ picked: at(r, c) }); ui.say(MODELS.map((who) => saying(picked(), who)).join(" ")); },
    });

    const large = h("canvas", { class: "cnn-large", role: "img", width: SIDE, height: SIDE });
    ui.watch(() => { setAttr(large, "aria-label", t("large", { name: word(truthOf(picked())), i: (picked() % EACH) + 1 })); paint(large, picked()); });
    const says = (who) => block(ui, () => t(isRight(answers[who], picked()) ? "hit" : "miss", { who: t(who) }), bars(ui, () => {
      const answer = answers[who], k = picked(), line = (key, c, role, p) => ({ label: t(key, { name: word(c) }), parts: [[role, p]], text: percent(p) });
      return isRight(answer, k) ? [line("both", truthOf(k), "output", answer.truth[k])]
        : [line("said", answer.said[k], "wrong", answer.confidence[k]), line("truth", truthOf(k), "output", answer.truth[k])];
    }, () => 1));

    const by = (key, values) => choice(ui, { label: t(key), options: values.map((v) => [v, t(v)]), value: () => ui.get(key), choose: (v) => show({ [key]: v }) });
    return [
      by("kind", ["all", ...NAMES]),
      row(by("model", MODELS), by("order", ORDERS)),
      h("div", { class: "cnn-browse" }, cells, h("div", { class: "cnn-side" },
        block(ui, () => t("large", { name: word(truthOf(picked())), i: (picked() % EACH) + 1 }), large), MODELS.map(says))),
      sentence(ui, count),
      text(ui, () => t("note"), "cnn-note"),
      code(ui, () => lookLines(picked()), t("lines")),
    ];
  },
});
