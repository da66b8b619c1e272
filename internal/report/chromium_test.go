package report

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// browser is a headless Chromium that is spoken to through two pipes in the
// DevTools protocol: messages of JSON that end in a zero.
type browser struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	session string
	id      int
	console []string // messages and errors of the page; a violated Content-Security-Policy is one
}

// newBrowser skips where there is no Chromium.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	var chromium string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			chromium = p
			break
		}
	}
	if chromium == "" {
		t.Skip("no Chromium on this machine: install it to look at the page")
	}
	read, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{read, write} // its files 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read.Close()
	write.Close()
	b := &browser{t: t, to: to, from: bufio.NewReaderSize(from, 1<<20)}
	late := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		b.send("Browser.close", nil)
		to.Close()
		cmd.Wait()
		from.Close()
		late.Stop()
	})
	return b
}

func (b *browser) send(method string, params any) int {
	b.id++
	m := map[string]any{"id": b.id, "method": method}
	if params != nil {
		m["params"] = params
	}
	if b.session != "" && !strings.HasPrefix(method, "Target.") && !strings.HasPrefix(method, "Browser.") {
		m["sessionId"] = b.session
	}
	text, err := json.Marshal(m)
	if err != nil {
		b.t.Fatal(err)
	}
	b.to.Write(append(text, 0)) // a browser that is gone shows in the answer
	return b.id
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// until reads messages until one is wanted.
func (b *browser) until(wanted func(message) bool) message {
	b.t.Helper()
	for {
		text, err := b.from.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("the browser is gone: %v", err)
		}
		var m message
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			b.t.Fatal(err)
		}
		if m.Method == "Runtime.consoleAPICalled" || m.Method == "Log.entryAdded" || m.Method == "Runtime.exceptionThrown" {
			b.console = append(b.console, string(m.Params))
		}
		if wanted(m) {
			return m
		}
	}
}

// call sends a command and decodes its answer into result, which may be nil.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	id := b.send(method, params)
	m := b.until(func(m message) bool { return m.ID == id })
	if m.Error != nil {
		b.t.Fatalf("%s: %s", method, m.Error.Message)
	}
	if result != nil {
		if err := json.Unmarshal(m.Result, result); err != nil {
			b.t.Fatal(err)
		}
	}
}

// open shows a page of text in a window of that size.
func (b *browser) open(page string, width, height int, scheme string) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		b.t.Fatal(err)
	}
	if b.session == "" {
		var target struct{ TargetID string }
		b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
		var session struct{ SessionID string }
		b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
		b.session = session.SessionID
		for _, domain := range []string{"Page", "Runtime", "Log"} {
			b.call(domain+".enable", nil, nil)
		}
	}
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}, nil)
	b.media("", scheme)
	b.send("Page.navigate", map[string]any{"url": "file://" + path})
	b.until(func(m message) bool { return m.Method == "Page.loadEventFired" })
}

// media sets print or the screen, and the scheme of colours.
func (b *browser) media(kind, scheme string) {
	b.t.Helper()
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": kind, "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// eval runs a script in the page and decodes what it returns.
func (b *browser) eval(script string, result any) {
	b.t.Helper()
	var got struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		ExceptionDetails json.RawMessage `json:"exceptionDetails"`
	}
	b.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true}, &got)
	if got.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", script, got.ExceptionDetails)
	}
	if result != nil {
		if err := json.Unmarshal(got.Result.Value, result); err != nil {
			b.t.Fatalf("%s: %v", script, err)
		}
	}
}

// press strikes a key.
func (b *browser) press(key string, code int) {
	b.t.Helper()
	for _, kind := range []string{"keyDown", "keyUp"} {
		event := map[string]any{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
		if key == "Enter" {
			event["text"] = "\r" // without it no button is pressed
		}
		b.call("Input.dispatchKeyEvent", event, nil)
	}
}

// shot is a picture of the page from y down, as PNG.
func (b *browser) shot(y, width, height int) []byte {
	b.t.Helper()
	var got struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{
		"format": "png", "captureBeyondViewport": true, "clip": map[string]any{"x": 0, "y": y, "width": width, "height": height, "scale": 1},
	}, &got)
	out, err := base64.StdEncoding.DecodeString(got.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// paper is the page as PDF.
func (b *browser) paper() []byte {
	b.t.Helper()
	var got struct{ Data string }
	b.call("Page.printToPDF", map[string]any{"preferCSSPageSize": true}, &got)
	out, err := base64.StdEncoding.DecodeString(got.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// TestShots writes pictures of a page to look at: REPORT_PAGE=report.html
// REPORT_SHOTS=DIR go test -run Shots.
func TestShots(t *testing.T) {
	page, dir := os.Getenv("REPORT_PAGE"), os.Getenv("REPORT_SHOTS")
	if page == "" || dir == "" {
		t.Skip("for people: names a page and a folder by REPORT_PAGE and REPORT_SHOTS")
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	for _, s := range []struct {
		name, media, scheme string
		width               int
	}{{"desk", "", "light", 1200}, {"dark", "", "dark", 1200}, {"phone", "", "light", 400}, {"paper", "print", "light", 800}} {
		b.open(string(text), s.width, 1400, s.scheme)
		b.media(s.media, s.scheme)
		var height int
		b.eval("document.documentElement.scrollHeight", &height)
		for i := 0; i*1400 < height && i < 5; i++ {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%02d.png", s.name, i)), b.shot(i*1400, s.width, min(1400, height-i*1400)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%s: %d pixels high, console %v", s.name, height, b.console)
	}
	if err := os.WriteFile(filepath.Join(dir, "paper.pdf"), b.paper(), 0o600); err != nil {
		t.Fatal(err)
	}
}
