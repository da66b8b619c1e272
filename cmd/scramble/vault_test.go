package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"filippo.io/age"

	"scramblelab/internal/escrow"
	"scramblelab/internal/ledger"
	"scramblelab/internal/metric"
	"scramblelab/internal/release"
)

const recipientPlan = "project: {recipient: A University}\n" + jobsPlan

// inVault makes a folder with a plan that names a recipient and data, and goes there.
func inVault(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	write(t, "plan.yaml", []byte(recipientPlan))
	write(t, "jobs.csv", []byte(strings.Join(jobsFile(), "\n")+"\n"))
}

// must runs a command line, which must end with a status; it returns what was
// written to both outputs.
func must(t *testing.T, status int, line string, args ...string) string {
	t.Helper()
	got, stdout, stderr := called(t, append(strings.Fields(line), args...)...)
	if got != status {
		t.Fatalf("%s: status %d, want %d\n%s%s", line, got, status, stdout, stderr)
	}
	return stdout + stderr
}

func manifest(t *testing.T, dir string) release.Manifest {
	t.Helper()
	man, err := release.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	return man
}

func says(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%q is not said in:\n%s", want, text)
	}
}

// TestOneKeyPerRecipient: the ledger of escrows binds scramble release with a
// named recipient, and records everything else.
func TestOneKeyPerRecipient(t *testing.T) {
	inVault(t)
	must(t, 3, "run plan.yaml -o tried --json report.json")
	must(t, 0, "release plan.yaml -o first")
	if man := manifest(t, "first"); man.KeysDrawn != 2 || man.Delivery != 1 || man.Phase != "one" {
		t.Errorf("manifest: %d keys drawn, delivery %d of phase %s, want 2, 1, one", man.KeysDrawn, man.Delivery, man.Phase)
	}
	info, err := os.Stat("escrow-ledger.jsonl")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("ledger: %v, %v, want mode 0600", info, err)
	}

	text := must(t, 1, "release plan.yaml -o second")
	says(t, text, "A University has a release of 30 of these employers under another key (escrow-ledger.jsonl, entry 3")
	says(t, text, "--reuse ESCROW")
	says(t, text, "--approve NAME, twice")
	must(t, 1, "release plan.yaml -o first --force") // replacing the folder draws a key as well
	must(t, 1, "release plan.yaml -o second --approve Jan")
	must(t, 1, "release plan.yaml -o second --approve Jan --approve jan")

	// The key he has, under other serials.
	must(t, 0, "release plan.yaml -o second --reuse first.escrow")
	if man := manifest(t, "second"); man.KeysDrawn != 2 || man.Delivery != 2 {
		t.Errorf("manifest: %d keys drawn, delivery %d, want 2 and 2", man.KeysDrawn, man.Delivery)
	}
	first, err1 := escrow.Load("first.escrow")
	second, err2 := escrow.Load("second.escrow")
	if err1 != nil || err2 != nil || first.Key != second.Key {
		t.Fatalf("the key was not reused: %v, %v", err1, err2)
	}
	alike := 0
	for i := range first.Serials {
		if first.Serials[i].Employer == second.Serials[i].Employer {
			alike++
		}
	}
	if alike > 6 { // one on average; more than six once in 10,000
		t.Errorf("%d of %d serials are those of the first delivery", alike, len(first.Serials))
	}
	for _, line := range []string{"audit second --escrow second.escrow", "fidelity plan.yaml --release second --escrow second.escrow -o measured", "attack plan.yaml --release second --escrow second.escrow -o attacked"} {
		must(t, 0, line)
	}
	must(t, 1, "fidelity plan.yaml --release second --escrow first.escrow -o wrong") // serials of the other delivery

	// The key of a run is a way to choose among keys: it is another key than the
	// recipient's, and counted.
	says(t, must(t, 1, "release plan.yaml -o third --reuse tried.escrow"), "under another key")
	write(t, "other.yaml", []byte(strings.Replace(recipientPlan, "A University", "B University", 1)))
	says(t, must(t, 0, "release other.yaml -o third --reuse tried.escrow"), "2 keys were drawn for this scramble")

	// A key is for one scramble.
	write(t, "stronger.yaml", []byte(strings.Replace(recipientPlan, "records: 10", "records: 11", 1)))
	says(t, must(t, 1, "release stronger.yaml -o fourth --reuse first.escrow"), "scrambles or publishes otherwise")

	// Two people decide.
	must(t, 0, "release plan.yaml -o fourth", "--approve", "Jan Peeters", "--approve", "Mia Claes")
	l, err := ledger.Open("escrow-ledger.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var d escrow.Drawing
	if err := json.Unmarshal(l.Entries()[len(l.Entries())-1].Body, &d); err != nil {
		t.Fatal(err)
	}
	if strings.Join(d.ApprovedBy, ", ") != "Jan Peeters, Mia Claes" || len(d.Overlaps) == 0 {
		t.Errorf("approvals %q over entries %v", d.ApprovedBy, d.Overlaps)
	}

	// Other people, another ledger, a seed, nobody named: recorded, not refused.
	must(t, 0, "release plan.yaml -o fifth --ledger elsewhere.jsonl")
	must(t, 0, "release plan.yaml -o sixth --seed 1")
	write(t, "nobody.yaml", []byte(jobsPlan))
	must(t, 0, "release nobody.yaml -o seventh")
	says(t, must(t, 0, "release nobody.yaml -o eighth"), "the plan names no recipient")
	rows := jobsFile()
	for i := range rows[1:] {
		rows[i+1] = "N" + rows[i+1]
	}
	write(t, "jobs.csv", []byte(strings.Join(rows, "\n")+"\n"))
	must(t, 0, "release plan.yaml -o ninth")

	b, err := os.ReadFile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	r, err := metric.Decode(b)
	if err != nil || r.N["keys drawn"] != 1 {
		t.Errorf("report: %d keys drawn, want 1 (%v)", r.N["keys drawn"], err)
	}
	says(t, must(t, 3, "run plan.yaml -o again --json -"), `"keys drawn"`)

	write(t, "escrow-ledger.jsonl", []byte("{}\n"))
	says(t, must(t, 1, "release plan.yaml -o tenth --seed 1"), "the ledger was changed")
	if _, err := os.Lstat("tenth"); err == nil {
		t.Error("a release that the ledger does not know was made")
	}
}

// TestDestroy: the certificate, the refusals, and what is kept.
func TestDestroy(t *testing.T) {
	inVault(t)
	must(t, 0, "release plan.yaml -o delivery")
	must(t, 0, "release plan.yaml -o second --reuse delivery.escrow")
	says(t, must(t, 2, "destroy delivery"), "add --yes")
	says(t, must(t, 1, "destroy . --yes"), "contains the working directory")
	says(t, must(t, 1, "destroy nothing --yes"), "does not exist")
	says(t, must(t, 1, "destroy delivery --yes --escrow plan.yaml"), "is no escrow")
	says(t, must(t, 1, "destroy delivery --yes --escrow second.escrow"), "the escrow of another release")
	text := must(t, 0, "destroy delivery --yes", "--by", "Mia Claes")
	says(t, text, "delivery.destroyed.json")
	says(t, text, "no erasure")
	if _, err := os.Lstat("delivery"); err == nil {
		t.Error("the release is still there")
	}
	if _, err := os.Lstat("delivery.escrow"); err != nil {
		t.Error("the escrow went without being named")
	}
	says(t, must(t, 0, "destroy delivery --yes"), "delivery.destroyed.json") // done already
	must(t, 0, "destroy second/ --yes --escrow second.escrow")
	if _, err := os.Lstat("second.escrow"); err == nil {
		t.Error("the escrow that was named is still there")
	}
	b, err := os.ReadFile("delivery.destroyed.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"recipient": "A University"`, `"purpose": `, `"destroyed_by": "Mia Claes"`, `"manifest_sha256": `, `"name": "cells.parquet"`} {
		says(t, string(b), want)
	}
	l, err := ledger.Open("escrow-ledger.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	kinds := ""
	for _, e := range l.Entries() {
		kinds += e.Kind + " "
	}
	if kinds != "population key key destroyed destroyed " {
		t.Errorf("entries %s", kinds)
	}
	// A copy may be left: the recipient is still bound.
	must(t, 1, "release plan.yaml -o third")
}

// TestOverdue: every command that opens a release, or a report on one, names it
// once its day is past, with the decision that extends it.
func TestOverdue(t *testing.T) {
	inVault(t)
	past := strings.Replace(recipientPlan, "recipient: A University", "recipient: A University, destroy_when: at latest 2020-12-31", 1)
	write(t, "plan.yaml", []byte(past))
	const want = "was to be destroyed by 2020-12-31"
	says(t, must(t, 0, "release plan.yaml -o delivery"), want)
	lines := []struct {
		status int
		line   string
	}{
		{0, "audit delivery"}, {0, "attack plan.yaml --release delivery --escrow delivery.escrow -o attacked"}, {0, "attack plan.yaml --release delivery -o claimed"},
		{0, "fidelity plan.yaml --release delivery --escrow delivery.escrow -o measured"},
		{3, "gate attacked/report.json"}, {0, "report measured/report.json -o page.html"}, {3, "run plan.yaml -o out"}, {0, "audit out/release"},
		{2, "destroy delivery"},
	}
	for _, l := range lines {
		says(t, must(t, l.status, l.line), want+": destroy it")
	}
	write(t, "plan.yaml", []byte(strings.Replace(past, "2020-12-31", "2020-12-31, extended_by: decision 24/1", 1)))
	must(t, 0, "release plan.yaml -o extended --seed 1")
	says(t, must(t, 0, "audit extended"), want+"; extended by: decision 24/1")
	says(t, must(t, 0, "fidelity plan.yaml --release extended --escrow extended.escrow -o measured --force"), "extended by: decision 24/1")
	says(t, must(t, 0, "report measured/report.json -o page.html --force"), "extended by: decision 24/1")
}

// TestEncryptedEscrow: every command that needs the escrow opens an encrypted
// one with the identity, and says so where it is missing or another's.
func TestEncryptedEscrow(t *testing.T) {
	inVault(t)
	mine, err1 := age.GenerateX25519Identity()
	other, err2 := age.GenerateX25519Identity()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	write(t, "mine.txt", []byte(mine.String()+"\n"))
	write(t, "other.txt", []byte(other.String()+"\n"))
	must(t, 0, "release plan.yaml -o delivery --escrow-recipient "+mine.Recipient().String())
	b, err := os.ReadFile("delivery.escrow")
	if err != nil || !strings.HasPrefix(string(b), "age-encryption.org/") {
		t.Fatalf("the escrow is not encrypted: %v", err)
	}
	for i, line := range []string{
		"audit delivery --escrow delivery.escrow", "audit delivery --escrow delivery.escrow --plan plan.yaml",
		"attack plan.yaml --release delivery --escrow delivery.escrow -o attacked", "fidelity plan.yaml --release delivery --escrow delivery.escrow -o measured",
		"release plan.yaml -o second --reuse delivery.escrow",
	} {
		says(t, must(t, 1, line), "is encrypted: give the age identity file")
		says(t, must(t, 1, line+" --identity other.txt"), "encrypted to somebody else")
		text := must(t, 0, line+" --identity mine.txt")
		if i == 1 {
			says(t, text, "permutation     the 1 permutations")
			says(t, text, "replay          the key makes the same release again")
		}
	}
	says(t, must(t, 2, "audit delivery --plan plan.yaml"), "name --escrow FILE too")
	// Encrypted or not, it is destroyed; with the identity it is seen to be the right one.
	says(t, must(t, 1, "destroy second --yes --escrow delivery.escrow --identity mine.txt"), "the escrow of another release")
	must(t, 0, "destroy delivery --yes --escrow delivery.escrow")
}
