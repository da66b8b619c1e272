package report

import (
	"bytes"
	"context"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// TestInBrowser opens the page in headless Chromium, at the width of a desk and
// of a telephone: no message on the console (a violated Content-Security-Policy
// is one), and a picture with something in it.
func TestInBrowser(t *testing.T) {
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
	dir := t.TempDir()
	page := filepath.Join(dir, "report.html")
	if err := os.WriteFile(page, []byte(render(t, madeUp())), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{1200, 500} {
		shot := filepath.Join(dir, strconv.Itoa(width)+".png")
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr", "--user-data-dir="+filepath.Join(dir, "profile"),
			"--window-size="+strconv.Itoa(width)+",1600", "--screenshot="+shot, "file://"+page)
		cmd.WaitDelay = 5 * time.Second
		log, err := cmd.CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		if said := regexp.MustCompile(`(?m)^.*CONSOLE.*$`).FindAll(log, -1); said != nil {
			t.Errorf("width %d: the console says\n%s", width, bytes.Join(said, []byte("\n")))
		}
		f, err := os.Open(shot)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		picture, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		colours := map[color.Color]bool{}
		for y := 0; y < picture.Bounds().Dy(); y += 3 {
			for x := 0; x < picture.Bounds().Dx(); x += 3 {
				colours[picture.At(x, y)] = true
			}
		}
		if len(colours) < 20 {
			t.Errorf("width %d: the picture has %d colours: an empty page", width, len(colours))
		}
	}
}
