package realism

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"scramblelab/internal/population"
)

// TestPage looks at the page as text: self-contained, every picture there, and
// nothing that a template failed to fill.
func TestPage(t *testing.T) {
	c := card(t, population.Options{Employers: 120, From: 2009, To: 2012, Seed: 5})
	var b bytes.Buffer
	if err := HTML(&b, c); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, id := range []string{"sizes", "flows", "wages", "ages", "education", "network", "card"} {
		if !strings.Contains(page, `id="`+id+`"`) {
			t.Errorf("the page has no %q", id)
		}
	}
	for _, bad := range []string{"<script", "http://", "https://", "url(", "NaN", "ZgotmplZ", "%!", "Inf"} {
		if i := strings.Index(page, bad); i >= 0 {
			t.Errorf("the page holds %q: …%s…", bad, page[max(0, i-60):min(len(page), i+60)])
		}
	}
	var again bytes.Buffer
	if err := HTML(&again, c); err != nil {
		t.Fatal(err)
	}
	if again.String() != page {
		t.Error("the same scorecard gives two pages")
	}
}

// TestPageInBrowser opens it in headless Chromium: a message on the console, a
// violated Content-Security-Policy for one, fails.
func TestPageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no Chromium on this machine: install it to look at the page")
	}
	dir := t.TempDir()
	file, shot := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.png")
	var b bytes.Buffer
	if err := HTML(&b, card(t, population.Options{Employers: 60, From: 2011, To: 2012, Seed: 5})); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--enable-logging=stderr", "--user-data-dir="+filepath.Join(dir, "profile"), "--window-size=500,1600", "--screenshot="+shot, "file://"+file)
	cmd.WaitDelay = 5 * time.Second
	log, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if said := regexp.MustCompile(`(?m)^.*CONSOLE.*$`).FindAll(log, -1); said != nil {
		t.Errorf("the console says\n%s", bytes.Join(said, []byte("\n")))
	}
	if info, err := os.Stat(shot); err != nil || info.Size() < 10_000 {
		t.Errorf("the picture is %v, %v: an empty page?", info, err)
	}
}
