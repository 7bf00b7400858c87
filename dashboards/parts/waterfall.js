// The waterfall in the browser: only the rows in sight are in the document, and text of spans is only ever textContent.
// The rows arrive once per run ("columns"), in a mount of their own; the view mounts with little data as often as it likes.
const ROW = 24, MARGIN = 8, KINDS = ["other", "run", "model", "action"], SHAPES = ["·", "◉", "◇", "▣"];
const WORDS = ["span", "agent run", "model call", "action"], ERROR = 1, CITED = 2, OPEN = 4, STEP = 8, LINKED = 16;
const STEPS = [0.001, 0.01, 0.1, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5];
const ARRIVED = "actorscope-rows";

export default function ({ data, parentElement, setTriggerValue }) {
  if (data.columns) {
    parentElement.replaceChildren();
    globalThis.actorscopeRows = data;
    globalThis.dispatchEvent(new Event(ARRIVED));
    return;
  }
  const view = (parentElement.waterfall ??= new Waterfall(parentElement));
  view.say = (told) => setTriggerValue("said", told);
  view.given(data);
  return () => view.rest();
}

const element = (tag, name, text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });
const inside = (low, value, high) => Math.max(low, Math.min(high, value));
function length(ms) {
  if (ms < 1000) return `${+ms.toPrecision(3)} ms`;
  const s = ms / 1000;
  return s < 120 ? `${+s.toPrecision(3)} s` : s < 7200 ? `${+(s / 60).toPrecision(3)} min` : `${+(s / 3600).toPrecision(3)} h`;
}
const money = (usd) => `$${usd >= 1 ? usd.toFixed(2) : usd >= 0.001 ? usd.toFixed(4) : usd.toFixed(6)}`;

class Waterfall {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`.${name}`);
    this.body = this.part("body");
    [this.folded, this.found, this.hits, this.rows, this.cursor] = [new Set(), new Set(), [], new Int32Array(), 0];
    this.draw = () => (this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.paint(); }));
    this.arrived = () => this.take();
    this.anywhere = (event) => this.reach(event);
    this.body.onscroll = this.draw;
    this.body.onkeydown = (event) => this.key(event);
    this.body.onclick = (event) => this.clicked(event);
    root.querySelectorAll("[data-do]").forEach((button) => (button.onclick = () => this.act(button.dataset.do)));
    this.part("show").onchange = (event) => { this.choose(event.target.value); this.say({ show: event.target.value }); };
    const find = this.part("find");
    find.oninput = () => { clearTimeout(this.later); this.later = setTimeout(() => this.search(find.value), 250); };
    find.onkeydown = (event) => this.typed(event);
    this.brushing(this.part("axis"));
    new ResizeObserver(this.draw).observe(this.body);
  }

  rest() {
    globalThis.removeEventListener(ARRIVED, this.arrived);
    document.removeEventListener("keydown", this.anywhere, true);
  }

  given(data) {
    this.data = data;
    this.rest();
    globalThis.addEventListener(ARRIVED, this.arrived);
    document.addEventListener("keydown", this.anywhere, true);
    this.body.style.setProperty("--height", `${data.height}px`);
    this.take();
    if (!this.all) return;
    if (data.selected !== this.selected) this.select(data.selected);
    this.told = data.hits;
    this.renew(this.held());
    if (this.told.query === this.query?.trim()) this.isEager = false;
    this.draw();
  }

  take() {
    const rows = globalThis.actorscopeRows;
    if (!rows || rows.trace !== this.data.trace || rows.version === this.version) return;
    const first = this.version === undefined, find = this.part("find"), hit = this.held();
    const held = this.all && this.id(this.rows[this.cursor]);
    const folded = new Set([...this.folded].map((row) => this.id(row)));
    [this.version, this.all, this.count] = [rows.version, rows, rows.parent.length];
    this.measure();
    this.folded = new Set([...Array(this.count).keys()].filter((row) => folded.has(this.id(row))));
    this.words = rows.strings.map((text) => text.toLowerCase());
    if (first) {
      [this.zoomed, this.show] = [this.data.zoom, this.data.show];
      this.part("show").value = this.show;
      find.value ||= this.data.query; // somebody may have begun to type
      this.query ??= find.value;
    }
    this.arrange();
    this.approvals();
    if (first) this.select(this.data.selected);
    else if (held) this.cursor = Math.max(0, this.rows.indexOf(this.row(held)));
    this.renew(hit);
  }

  // What a subtree holds is told on its folded row: its size, cost, errors and evidence.
  measure() {
    const { parent, at, ms, cost, flags, path } = this.all, n = this.count;
    this.depth = new Uint16Array(n);
    this.size = new Int32Array(n).fill(1);
    this.below = Float64Array.from(cost, (usd) => usd ?? 0);
    this.marks = Uint8Array.from(flags);
    this.pieces = new Map();
    for (let row = 0; row < n; row++) this.depth[row] = parent[row] < 0 ? 0 : this.depth[parent[row]] + 1;
    this.indent = inside(5, 96 / this.depth.reduce((most, depth) => Math.max(most, depth), 1), 12); // deep trees leave room for names
    for (let row = n - 1; row >= 0; row--) {
      const up = parent[row];
      if (up < 0) continue;
      this.size[up] += this.size[row];
      this.below[up] += this.below[row];
      this.marks[up] |= this.marks[row];
    }
    path.forEach((row, i) => row >= 0 && (this.pieces.get(row) ?? this.pieces.set(row, []).get(row)).push(i));
    this.places = undefined;
  }

  get zoom() { return this.zoomed ?? [0, this.all.total || 1]; }
  id(row) { return this.all.ids.substr(row * 16, 16); }
  row(id) {
    this.places ??= new Map(Array.from({ length: this.count }, (_, row) => [this.id(row), row]));
    return this.places.get(id) ?? -1;
  }
  text(column, row) { return this.all.strings[this.all[column][row]]; }
  wanted(row) {
    const flags = this.all.flags[row];
    return this.show === "steps" ? flags & (STEP | CITED) : this.show === "trouble" ? flags & (ERROR | CITED | OPEN) : this.pieces.has(row);
  }

  // The rows to show, in order: those that are wanted, what stands above them, and nothing below a folded one.
  arrange() {
    const keep = this.show === "all" ? undefined : new Uint8Array(this.count);
    for (let row = 0; keep && row < this.count; row++)
      if (this.wanted(row)) for (let up = row; up >= 0 && keep[up] < (up === row ? 2 : 1); up = this.all.parent[up]) keep[up] = up === row ? 2 : 1;
    const rows = [];
    for (let row = 0; row < this.count; row += this.folded.has(row) ? this.size[row] : 1) if (!keep || keep[row]) rows.push(row);
    this.kept = keep;
    this.rows = Int32Array.from(rows);
    this.part("space").style.height = `${rows.length * ROW}px`;
    this.cursor = inside(0, this.cursor, Math.max(0, rows.length - 1));
  }

  choose(show) {
    const held = this.rows[this.cursor];
    this.show = show;
    this.arrange();
    const place = this.rows.findIndex((row) => row >= held);
    this.move(place < 0 ? this.rows.length - 1 : place);
  }

  // Brings a row into sight: unfolds what stands above it, and shows everything when the choice hides it.
  reveal(row) {
    if (!(row >= 0)) return this.draw();
    for (let up = this.all.parent[row]; up >= 0; up = this.all.parent[up]) this.folded.delete(up);
    this.arrange();
    if (this.kept && !this.kept[row]) {
      this.show = this.part("show").value = "all";
      this.arrange();
    }
    this.move(this.rows.indexOf(row));
  }

  move(place) {
    this.cursor = inside(0, place, this.rows.length - 1);
    const top = this.cursor * ROW, height = this.body.clientHeight || this.data.height;
    if (top < this.body.scrollTop) this.body.scrollTop = Math.max(0, top - ROW * 2);
    else if (top + ROW > this.body.scrollTop + height) this.body.scrollTop = top - height + ROW * 3;
    this.draw();
  }

  select(id) {
    this.selected = id;
    if (id) this.reveal(this.row(id));
  }

  pick(row) {
    this.selected = this.id(row);
    this.say({ span: this.selected });
    this.draw();
  }

  fold(row, folded) {
    if (folded === undefined ? !this.folded.has(row) : folded) this.folded.add(row); else this.folded.delete(row);
    this.arrange();
    this.draw();
  }

  act(what) {
    if (!this.all) return;
    const held = this.rows[this.cursor];
    if (what === "next" || what === "previous") return this.jump(what === "next" ? 1 : -1);
    if (what === "reset") return this.range(0, this.all.total);
    this.folded.clear();
    if (what === "fold") for (let row = 0; row < this.count; row++) if (this.depth[row] > 0 && this.size[row] > 1) this.folded.add(row);
    this.arrange();
    this.move(Math.max(0, this.rows.indexOf(held)));
  }

  clicked(event) {
    const line = event.target.closest(".row");
    if (!line) return;
    const row = +line.dataset.row;
    this.cursor = this.rows.indexOf(row);
    if (event.target.closest(".fold") && this.size[row] > 1) this.fold(row); else this.pick(row);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.all || !this.rows.length) return;
    const row = this.rows[this.cursor], page = Math.floor(this.body.clientHeight / ROW) - 1;
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -this.count, End: this.count };
    const closed = this.folded.has(row), heads = this.size[row] > 1;
    const acts = {
      Enter: () => this.pick(row), " ": () => this.pick(row),
      ArrowRight: () => (heads && closed ? this.fold(row, false) : heads && this.move(this.cursor + 1)),
      ArrowLeft: () => (heads && !closed ? this.fold(row, true) : this.all.parent[row] >= 0 && this.reveal(this.all.parent[row])),
      n: () => this.jump(1), N: () => this.jump(-1), e: () => this.trouble(1), E: () => this.trouble(-1),
      z: () => this.range(this.all.at[row], this.all.at[row] + this.all.ms[row]), 0: () => this.act("reset"),
    };
    if (event.key in steps) this.move(this.cursor + steps[event.key]);
    else if (event.key in acts) acts[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  typed(event) {
    event.stopPropagation();
    const find = event.target;
    if (event.key === "Escape") { find.value = ""; this.search(""); this.body.focus(); }
    else if (event.key === "Enter") { if (find.value !== this.query) this.search(find.value); else this.jump(event.shiftKey ? -1 : 1); }
    else if (event.key === "ArrowDown") this.body.focus();
  }

  // "/" and F lead to the search box from anywhere that does not take text itself.
  reach(event) {
    const at = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || !["/", "f", "F"].includes(event.key)) return;
    if (at.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(at.tagName)) return;
    event.preventDefault();
    event.stopPropagation();
    this.part("find").focus();
    this.part("find").select();
  }

  // Names are searched here; attributes by the server, whose hits arrive with the next data.
  search(query) {
    clearTimeout(this.later);
    if (query !== this.query) this.say({ query });
    [this.query, this.isEager] = [query, true];
    this.renew();
  }

  // Finds anew when rows or hits arrive. Whoever types is left alone, whoever stands on a hit stays on it.
  renew(held) {
    const text = (this.query ?? "").trim().toLowerCase(), found = new Set();
    if (text && this.all) {
      const codes = this.words.map((word) => word.includes(text));
      const columns = ["name", "tool", "actor", "error", "model", "service", "scope", "target"].map((name) => this.all[name]);
      for (let row = 0; row < this.count; row++) if (columns.some((column) => codes[column[row]])) found.add(row);
      for (const id of [text, ...(this.told?.query === this.query.trim() ? this.told.spans : [])]) if (this.row(id) >= 0) found.add(this.row(id));
    }
    [this.found, this.hits] = [found, [...found].sort((a, b) => a - b)];
    this.hit = held ? this.hits.indexOf(this.row(held)) : -1;
    this.part("hits").textContent = !text ? "" : !this.hits.length ? "no hit" : this.hit < 0 ? `${this.hits.length} hits` : this.ordinal();
    if (this.isEager && this.hits.length) this.jump(1, true);
    else this.draw();
  }

  held() { return this.hit >= 0 ? this.id(this.hits[this.hit]) : undefined; }
  ordinal() { return `${this.hit + 1} of ${this.hits.length}`; }

  jump(step, fromHere) {
    if (!this.hits.length) return;
    this.isEager = false;
    const here = this.rows[this.cursor];
    if (this.hit < 0) {
      const next = this.hits.findIndex((row) => (fromHere ? row >= here : row > here));
      this.hit = step > 0 ? (next < 0 ? 0 : next) : (next < 0 ? this.hits.length : next) - 1;
    } else this.hit += step;
    this.hit = (this.hit + this.hits.length) % this.hits.length;
    this.part("hits").textContent = this.ordinal();
    this.reveal(this.hits[this.hit]);
  }

  trouble(step) {
    for (let far = 1; far <= this.count; far++) {
      const row = (this.rows[this.cursor] + step * far + this.count) % this.count;
      if (this.all.flags[row] & (ERROR | CITED | OPEN)) return this.reveal(row);
    }
  }

  range(from, to) {
    const least = Math.max(this.all.total / 1e6, 0.001);
    const zoom = [inside(0, from, this.all.total - least), inside(least, Math.max(to, from + least), this.all.total)];
    this.zoomed = zoom[0] > 0 || zoom[1] < this.all.total ? zoom.map((ms) => +ms.toFixed(3)) : null;
    this.approvals();
    this.say({ zoom: this.zoomed });
    this.draw();
  }

  brushing(axis) {
    const brush = this.part("brush");
    let start;
    const share = (event) => { const box = axis.getBoundingClientRect(); return inside(0, (event.clientX - box.left) / box.width, 1); };
    const moment = (part) => this.zoom[0] + part * (this.zoom[1] - this.zoom[0]);
    axis.onpointerdown = (event) => { if (this.all) { start = share(event); axis.setPointerCapture(event.pointerId); } };
    axis.onpointermove = (event) => {
      if (start === undefined) return;
      const now = share(event);
      brush.hidden = false;
      Object.assign(brush.style, { left: `${Math.min(start, now) * 100}%`, width: `${Math.abs(now - start) * 100}%` });
    };
    axis.onpointerup = (event) => {
      const now = share(event), from = start;
      start = undefined;
      brush.hidden = true;
      if (from !== undefined && Math.abs(now - from) > 0.01) this.range(moment(Math.min(from, now)), moment(Math.max(from, now)));
    };
    axis.ondblclick = () => this.act("reset");
  }

  approvals() {
    const lane = this.part("lane"), asked = this.part("asked");
    lane.hidden = !this.all.approvals.length;
    const seen = this.all.approvals.filter((one) => one.at >= this.zoom[0] && one.at <= this.zoom[1]);
    let edge = 0; // no mark hides another
    asked.replaceChildren(...seen.map((one, i) => {
      const x = (this.place(one.at) * asked.clientWidth) / 100, next = (this.place(seen[i + 1]?.at ?? Infinity) * asked.clientWidth) / 100;
      const room = next - Math.max(x, edge) > 80, left = Math.max(x - (room ? 30 : 9), edge);
      edge = left + (room ? 72 : 20);
      const mark = element("button", one.denied ? "denied" : "", room ? `${one.shape} ${one.state}` : one.shape);
      Object.assign(mark, { ariaLabel: one.text, role: "listitem", title: one.text });
      mark.style.left = `${left}px`;
      mark.onclick = () => { if (this.row(one.span) >= 0) { this.reveal(this.row(one.span)); this.pick(this.row(one.span)); } };
      return mark;
    }));
  }

  place(ms) { return ((ms - this.zoom[0]) / (this.zoom[1] - this.zoom[0])) * 100; }

  paint() {
    if (!this.all) return;
    this.ticks();
    const first = Math.max(0, Math.floor(this.body.scrollTop / ROW) - MARGIN);
    const last = Math.min(this.rows.length, Math.ceil((this.body.scrollTop + this.body.clientHeight) / ROW) + MARGIN);
    const lines = [];
    for (let place = first; place < last; place++) lines.push(this.line(place, this.rows[place]));
    if (!this.rows.length) lines.push(element("div", "none", "No span of this run is of that kind."));
    this.part("space").replaceChildren(...lines);
    if (this.rows.length) this.body.setAttribute("aria-activedescendant", `span-${this.rows[this.cursor]}`);
    this.part("count").textContent = `${this.rows.length.toLocaleString("en")} rows · ${this.data.note}`;
    this.root.querySelector('[data-do="reset"]').hidden = !this.zoomed;
  }

  ticks() {
    const axis = this.part("axis"), span = this.zoom[1] - this.zoom[0], most = Math.max(2, Math.floor(axis.clientWidth / 56));
    const step = STEPS.find((size) => size >= span / most) ?? Math.ceil(span / most / 864e5) * 864e5;
    const ticks = [];
    for (let ms = Math.ceil(this.zoom[0] / step) * step; this.place(ms) < 91 && ticks.length < 40; ms += step) {
      const tick = element("div", "tick", ms ? length(ms) : "0");
      tick.style.left = `${this.place(ms)}%`;
      ticks.push(tick);
    }
    axis.replaceChildren(this.part("brush"), ...ticks);
  }

  line(place, row) {
    const { at, ms, flags, cost } = this.all, mine = flags[row], closed = this.folded.has(row) && this.size[row] > 1;
    const kind = this.all.kind[row], name = this.text("name", row) || "(no name)", took = mine & OPEN ? "open" : length(ms[row]);
    const marks = closed ? this.marks[row] : mine, usd = closed ? this.below[row] : this.all.total_cost[row] ?? cost[row];
    const line = Object.assign(element("div", "row"), { id: `span-${row}` });
    line.dataset.row = row;
    line.style.transform = `translateY(${place * ROW}px)`;
    line.classList.toggle("cursor", place === this.cursor);
    line.classList.toggle("hit", this.found.has(row));
    line.classList.toggle("around", this.kept?.[row] === 1);
    const said = [];
    const names = element("div", "names");
    names.style.paddingLeft = `${6 + Math.min(this.depth[row], 14) * this.indent}px`;
    names.append(element("span", "fold", this.size[row] > 1 ? (closed ? "▸" : "▾") : ""), element("i", KINDS[kind], SHAPES[kind]));
    const mark = (flag, text, style = "mark") => { if (marks & flag) { names.append(element("span", style, text)); said.push(text); } };
    mark(ERROR, closed && !(mine & ERROR) ? "✖ errors inside" : "✖ error");
    mark(CITED, this.text("finding", row) || "⚑ evidence inside");
    mark(OPEN, closed && !(mine & OPEN) ? "… open inside" : "… open", "mark open");
    names.append(element("span", "title", (this.depth[row] > 14 ? `…${this.depth[row]} ` : "") + name));
    const who = this.text("who", row), end = element("span", "end");
    if (who) names.append(element("span", "who", who));
    const badge = (text) => { if (text) { end.append(element("span", "badge", text)); said.push(text); } };
    badge(usd > 0 ? money(usd) : "");
    badge(closed ? `+${(this.size[row] - 1).toLocaleString("en")} spans` : "");
    badge(this.text("effect", row));
    badge(this.text("scope", row) && `scope ${this.text("scope", row)}`);
    badge(mine & LINKED ? "⇄ links" : "");
    names.append(end);
    names.title = [name, who, this.text("error", row), this.text("scope", row), this.text("target", row)].filter(Boolean).join("\n");
    line.append(names, this.track(row, mine, at[row], ms[row], took));
    const told = { role: "treeitem", "aria-level": this.depth[row] + 1, "aria-selected": this.id(row) === this.selected,
      "aria-setsize": this.rows.length, "aria-posinset": place + 1, "aria-label": [WORDS[kind], name, who, ...said, took].filter(Boolean).join(", ") };
    if (this.size[row] > 1) told["aria-expanded"] = !closed;
    for (const key in told) line.setAttribute(key, told[key]);
    return line;
  }

  track(row, mine, at, ms, took) {
    const track = element("div", "track"), left = this.place(at), width = this.place(at + ms) - left;
    if (left <= 100 && left + width >= 0) {
      const bar = element("div", `bar ${KINDS[this.all.kind[row]]}${mine & ERROR ? " error" : ""}${mine & OPEN ? " torn" : ""}`);
      const from = Math.max(left, -1), to = Math.min(left + width, 101);
      Object.assign(bar.style, { left: `${from}%`, width: `${to - from}%` });
      track.append(bar);
      for (const i of this.pieces.get(row) ?? []) {
        const piece = element("div", "path"), start = Math.max(this.place(this.all.from[i]), -1);
        Object.assign(piece.style, { left: `${start}%`, width: `${Math.min(this.place(this.all.to[i]), 101) - start}%` });
        track.append(piece);
      }
      const label = element("span", `took${to - from > 30 ? " inside" : ""}`, took);
      if (to - from > 30) label.style.left = `${Math.max(0, from)}%`;
      else if (to > 80) label.style.right = `${100 - from}%`;
      else label.style.left = `calc(${to}% + 2px)`;
      track.append(label);
    }
    return track;
  }
}
