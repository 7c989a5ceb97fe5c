package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// screen is what a page is looked at with.
type screen struct {
	width, height int64 // CSS pixels
	mobile        bool
	scheme        string // prefers-color-scheme: light or dark
}

func desktop() screen { return screen{width: 1280, height: 900, scheme: "light"} }
func phone() screen   { return screen{width: 390, height: 844, mobile: true, scheme: "dark"} }

// browser is one Chromium with one page. It notes what a visitor would not see
// and a developer would: requests that failed, exceptions of scripts. Its
// methods end the test when they fail; selectors are CSS, and stand for the
// first element that they match.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// browse starts Chromium until the test ends.
func browse(t *testing.T, s screen) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v\nmake test installs Chromium", err)
	}
	limited, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	alloc, cancel := chromedp.NewExecAllocator(limited,
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	b.check(chromedp.Listen(ctx, b.note))
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("end Chromium: %v", err)
		}
	})
	_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	b.check(err)
	_, err = chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: s.width, Height: s.height, DeviceScaleFactor: 1, Mobile: s.mobile,
	})
	b.check(err)
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}},
	})
	b.check(err)
	return b
}

// note keeps the events that no page of ours should cause. Chromium's reader
// calls it, one event at a time.
func (b *browser) note(event any) {
	problem := ""
	switch e := event.(type) {
	case *network.EventResponseReceived:
		// Browsers ask for an icon whether or not a page names one.
		if e.Response.Status >= 400 && !strings.HasSuffix(e.Response.URL, "/favicon.ico") {
			problem = fmt.Sprintf("status %d for %s", e.Response.Status, e.Response.URL)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			problem = fmt.Sprintf("%s for a %s", e.ErrorText, e.Type)
		}
	case *runtime.EventExceptionThrown:
		problem = fmt.Sprintf("script: %s in %s", e.ExceptionDetails.Text, e.ExceptionDetails.URL)
	}
	if problem == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, problem)
}

func (b *browser) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// open goes to url and waits until it is loaded.
func (b *browser) open(url string) {
	b.t.Helper()
	b.check(chromedp.Do(b.ctx, chromedp.Navigate(url)))
}

// reload asks for the page again until a JavaScript expression is true of it.
func (b *browser) reload(expr string) {
	b.t.Helper()
	for !eval[bool](b, expr) {
		b.check(chromedp.Do(b.ctx, chromedp.Reload()))
	}
}

// failed forgets the problems so far: that the page fails is what is looked at.
func (b *browser) failed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = nil
}

// fill types text into a field.
func (b *browser) fill(field chromedp.CSS, text string) {
	b.t.Helper()
	b.check(chromedp.Do(b.ctx, chromedp.SendKeys(field, text)))
}

// upload chooses a file in a file field.
func (b *browser) upload(field chromedp.CSS, path string) {
	b.t.Helper()
	b.check(chromedp.Do(b.ctx, chromedp.SetUploadFiles(field, []string{path})))
}

// click clicks when the element is visible, and stays on the page.
func (b *browser) click(sel chromedp.CSS) {
	b.t.Helper()
	b.check(chromedp.Do(b.ctx, chromedp.WaitVisible(sel), chromedp.Click(sel)))
}

// follow clicks and waits for the page that this leads to.
func (b *browser) follow(sel chromedp.CSS) {
	b.t.Helper()
	_, err := chromedp.RunResponse(b.ctx, chromedp.Click(sel))
	b.check(err)
}

// text is the element's visible text.
func (b *browser) text(sel chromedp.CSS) string {
	b.t.Helper()
	s, err := chromedp.Run(b.ctx, chromedp.Text(sel))
	b.check(err)
	return s
}

// background is the element's computed background colour.
func (b *browser) background(sel chromedp.CSS) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("getComputedStyle(document.querySelector(%q)).backgroundColor", sel))
}

// eval is the value of a JavaScript expression.
func eval[T any](b *browser, expr string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expr))
	b.check(err)
	return v
}

// until waits for a JavaScript expression to be true.
func (b *browser) until(expr string) {
	b.t.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expr))
	b.check(err)
}

// becomes waits for a JavaScript expression to be true of a page that moves on
// by itself, which an evaluation may run into.
func (b *browser) becomes(expr string) {
	b.t.Helper()
	for {
		v, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expr))
		if v && err == nil {
			return
		}
		b.check(b.ctx.Err())
	}
}

// look saves a screenshot of the whole page under build/screenshots and checks
// what holds for every page: it is not wider than the screen, nothing failed.
func (b *browser) look(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	b.check(err)
	dir := filepath.Join(root(b.t), "build", "screenshots")
	b.check(os.MkdirAll(dir, 0o755))
	b.check(os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
	if over := eval[int](b, "document.documentElement.scrollWidth - window.innerWidth"); over > 0 {
		b.t.Errorf("%s is %d pixels wider than the screen", name, over)
	}
	b.mu.Lock()
	problems := slices.Clone(b.problems)
	b.mu.Unlock()
	for _, p := range problems {
		b.t.Errorf("%s: %s", name, p)
	}
}

// unreadable finds what people with weak eyes, or without a screen, cannot use:
// text with too little contrast (WCAG 2, success criterion 1.4.3), fields without a
// label, buttons and links without words, levels of headings that are left out.
const unreadable = `(() => {
	const found = [];
	const parse = (c) => (c.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
	const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const c = parse(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	for (const e of document.querySelectorAll("body *")) {
		const style = getComputedStyle(e);
		const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
		if (!text || !e.checkVisibility() || style.clipPath !== "none" || e.closest(".unseen, [disabled]")) continue;
		const [a, b] = [light(parse(style.color)), light(behind(e))].sort((x, y) => y - x);
		const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < (large ? 3 : 4.5)) found.push("contrast " + ratio.toFixed(1) + " of " + e.textContent.trim().slice(0, 40));
	}
	for (const e of document.querySelectorAll("input, select, textarea")) {
		if (e.type !== "hidden" && !e.labels.length && !e.ariaLabel) found.push("no label for " + e.outerHTML);
	}
	for (const e of document.querySelectorAll("button, a")) {
		if (!e.textContent.trim() && !e.ariaLabel) found.push("no words on " + e.outerHTML);
	}
	let before = 0;
	for (const e of document.querySelectorAll("h1, h2, h3, h4")) {
		const level = Number(e.localName[1]);
		if (level > before + 1) found.push(e.localName + " follows h" + before + ": " + e.textContent);
		before = level;
	}
	return found;
})()`

// read checks that the page can be read: see unreadable.
func (b *browser) read(name string) {
	b.t.Helper()
	for _, problem := range eval[[]string](b, unreadable) {
		b.t.Errorf("%s: %s", name, problem)
	}
}
