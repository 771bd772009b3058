// Ilsvrc. The arithmetic first: exported, and tested.

/** The error that counts: with the contest's own data alone, or with whatever the team used. */
export const errorOf = (entry, given) => (given ? entry.given : entry.error);

/** The winner of a year. */
export const winner = (entries, year) => entries.find((e) => e.year === year && e.place === 1);

/** How far error `a` lies below error `b`: in percentage points, and as a share of `b` in per cent. */
export const progress = (a, b) => ({ points: b - a, share: (100 * (b - a)) / b });

/** The Python lines that compute the same. */
export function pythonLines(entries, given, year, base) {
  const errors = entries.filter((e) => e.place === 1).map((e) => `${e.year}: ${errorOf(e, given)}`);
  return [`errors = {${errors.slice(0, 4).join(", ")},`, `          ${errors.slice(4).join(", ")}}`,
    `points = errors[${base}] - errors[${year}]`, `share = 100 * points / errors[${base}]`].join("\n");
}

export default demo({
  name: "ilsvrc",
  state: ["year", "base", "given", "seconds"],
  valid: (s) => [s.year, s.base].every((y) => within(y, 2010, 2017)),

  render(ui) {
    const entries = () => ui.get("entries"), given = () => ui.get("given");
    const year = () => ui.get("year"), base = () => ui.get("base");
    const per = (v, digits = 2) => t("percent", { v: num(v, digits) });
    const now = () => winner(entries(), year()), then = () => winner(entries(), base());
    const change = ui.derive(() => progress(errorOf(now(), given()), errorOf(then(), given())));
    const sayYear = () => t("won", { year: String(year()), team: now().team, model: now().model, error: per(errorOf(now(), given())) });
    const sayChange = () => {
      const { points, share } = change();
      const values = { base: String(base()), model: then().model, error: per(errorOf(then(), given())), points: num(Math.abs(points), 2), share: num(Math.abs(share), 0) };
      return year() === base() ? t("same") : t(points >= 0 ? "better" : "worse", values);
    };
    const say = () => `${sayYear()} ${sayChange()}`;
    const shown = () => entries().filter((e) => e.place === 1 || ui.get("seconds"));
    const lines = () => [
      ...shown().map((e) => ({
        label: `${e.year} ${e.model === "ensemble" ? e.team : e.deep ? e.model : e.team}${e.place > 1 ? ` ${t("second")}` : ""}`,
        parts: [[e.deep ? "kernel" : "padding", errorOf(e, given())]],
        text: per(errorOf(e, given())),
        faint: e.place > 1 || (e.year !== year() && e.year !== base()),
      })),
      { label: t("person"), parts: [["current", ui.get("human")]], text: per(ui.get("human")), faint: true },
    ];
    const source = text(ui, () => [t("source"), " ", ...[now(), then()].filter((e, i, all) => i === 0 || e.url !== all[0].url)
      .flatMap((e, i) => [i ? ", " : "", h("a", { href: e.url, rel: "noopener" }, e.title)])], "cnn-note");

    return [
      row(slider(ui, { key: "year", label: t("year"), min: 2010, max: 2017, format: String, say }),
        slider(ui, { key: "base", label: t("base"), min: 2010, max: 2017, format: String, say })),
      row(toggle(ui, { key: "given", label: t("givenData") }), toggle(ui, { key: "seconds", label: t("showSeconds") })),
      block(ui, t("axis"), bars(ui, lines, () => 30)),
      text(ui, () => t("legend"), "cnn-note"),
      text(ui, sayYear), text(ui, sayChange), source,
      code(ui, () => pythonLines(entries(), given(), year(), base()), t("code")),
    ];
  },
});
