package study

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scramblelab/internal/escrow"
	"scramblelab/internal/frame"
	"scramblelab/internal/release"
	"scramblelab/internal/tabio"
)

// elsewhere names the folder that TestStudyOfAnotherProcess writes, for the
// process that a test starts.
const elsewhere = "SCRAMBLELAB_TEST_OUT"

// TestStudyOfAnotherProcess is the other process of TestSameSeedSameFiles.
func TestStudyOfAnotherProcess(t *testing.T) {
	out := os.Getenv(elsewhere)
	if out == "" {
		t.Skip("started by TestSameSeedSameFiles")
	}
	if _, err := Run(t.Context(), parsed(t, small), Options{Out: out, Seed: seeded(7)}); err != nil {
		t.Fatal(err)
	}
}

// reproducible are the files of a study that the seed determines: all but the
// timings. Of the escrow it is the contents.
func reproducible(t *testing.T, out string) map[string]string {
	t.Helper()
	files := tree(t, out)
	if _, ok := files["internal/timings.json"]; !ok {
		t.Error("there is no internal/timings.json")
	}
	delete(files, "internal/timings.json")
	e, err := escrow.Load(out + ".escrow")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	files["escrow"] = string(b) + hex.EncodeToString(e.Key.Bytes())
	return files
}

// TestSameSeedSameFiles: DESIGN 6. The same seed gives the same bytes whatever
// the number of threads and the process.
func TestSameSeedSameFiles(t *testing.T) {
	_, out := studied(t, small, seeded(7), "")
	want := reproducible(t, out)
	if len(want) < 11 {
		t.Errorf("%d files, want the release's 8, report.json, report.html, plan.yaml and the escrow", len(want))
	}
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	threads, processes := []int{1, 2, 8}, 2
	if testing.Short() {
		threads, processes = []int{8}, 1
	}
	for _, n := range threads {
		runtime.GOMAXPROCS(n)
		_, out := studied(t, small, seeded(7), "")
		if diff := cmp.Diff([]string(nil), differing(want, reproducible(t, out))); diff != "" {
			t.Errorf("GOMAXPROCS %d: files that differ (-want +got):\n%s", n, diff)
		}
	}
	runtime.GOMAXPROCS(before)
	for i := range processes {
		out := filepath.Join(t.TempDir(), fmt.Sprint("process", i))
		cmd := exec.Command(os.Args[0], "-test.run=^TestStudyOfAnotherProcess$")
		cmd.Env = append(os.Environ(), elsewhere+"="+out, fmt.Sprintf("GOMAXPROCS=%d", i+1))
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if diff := cmp.Diff([]string(nil), differing(want, reproducible(t, out))); diff != "" {
			t.Errorf("process %d: files that differ (-want +got):\n%s", i, diff)
		}
	}
}

// TestThreadsOnManyChunks is the same law where the work falls into many chunks.
func TestThreadsOnManyChunks(t *testing.T) {
	if testing.Short() {
		t.Skip("a larger population")
	}
	const wide = "data: {generate: {employers: 1500, from: 2017, to: 2021}}\nadversaries: [head-count-only]\nattack: {targets: 200}\n"
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	_, one := studied(t, wide, seeded(7), "")
	runtime.GOMAXPROCS(8)
	_, eight := studied(t, wide, seeded(7), "")
	if diff := cmp.Diff([]string(nil), differing(reproducible(t, one), reproducible(t, eight))); diff != "" {
		t.Errorf("files that differ (-want +got):\n%s", diff)
	}
}

// TestOtherSeedOtherFiles guards the test above against files that no draw
// reaches.
func TestOtherSeedOtherFiles(t *testing.T) {
	yaml := fmt.Sprintf(panelSchema, panelFile().write(t))
	_, one := studied(t, yaml, seeded(7), "")
	_, two := studied(t, yaml, seeded(8), "")
	want := []string{"cells.parquet", "employers.parquet", "manifest.json"} // which has their checksums
	if diff := cmp.Diff(want, differing(tree(t, filepath.Join(one, "release")), tree(t, filepath.Join(two, "release")))); diff != "" {
		t.Errorf("files of the release that differ (-want +got):\n%s", diff)
	}
}

// TestRowOrderOfTheInput: DESIGN 6. Given unique keys, permuting the rows of
// the input leaves the release as it was, and without worker identifiers too,
// because rows that are alike in everything are interchangeable.
func TestRowOrderOfTheInput(t *testing.T) {
	for _, test := range []struct {
		name, schema, more string
		file               table
	}{
		{"workers with identifiers", panelSchema, "", panelFile()},
		{"rows without identifiers", crossSchema, "", crossFile()},
		{"records are rows", strings.Replace(crossSchema, "records: 20", "records: 50, unit: worker", 1), "", crossFile()},
		{"sampled rows", crossSchema, "scramble: {keep: [], steps: [{method: random-swap, bundle: [level], rate: 0.4}, {method: sample-workers, rate: 0.6}]}\n", crossFile()},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var want map[string]string
			for k := range uint64(3) {
				file := test.file
				if k > 0 {
					file = file.permuted(k)
				}
				_, out := studied(t, fmt.Sprintf(test.schema, file.write(t))+test.more, seeded(3), "")
				got := tree(t, filepath.Join(out, "release"))
				// The plan names another file, so its digest differs.
				got["manifest.json"] = withoutDigest(t, got["manifest.json"])
				if k == 0 {
					want = got
				} else if diff := cmp.Diff([]string(nil), differing(want, got)); diff != "" {
					t.Errorf("permutation %d: files that differ (-want +got):\n%s", k, diff)
				}
			}
		})
	}
}

func withoutDigest(t *testing.T, manifest string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(manifest), &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "plan_digest")
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestWithoutSeedTwoRunsDiffer: keys then come from the system.
func TestWithoutSeedTwoRunsDiffer(t *testing.T) {
	yaml := fmt.Sprintf(panelSchema, panelFile().write(t))
	_, one := studied(t, yaml, nil, "")
	_, two := studied(t, yaml, nil, "")
	a, b := tree(t, filepath.Join(one, "release")), tree(t, filepath.Join(two, "release"))
	if diff := cmp.Diff([]string{"cells.parquet", "employers.parquet", "manifest.json"}, differing(a, b)); diff != "" {
		t.Errorf("files of the release that differ (-want +got):\n%s", diff)
	}
	if !strings.Contains(a["manifest.json"], `"simulation": false`) {
		t.Error("a release of real data with a key of the system is marked as a simulation")
	}
}

// TestNoSecretInTheOutput looks through every file of a study, raw and
// decompressed, for what undoes it: seed, key, original identifiers, and where
// on this machine it was made.
func TestNoSecretInTheOutput(t *testing.T) {
	const seed = 7351862049716358241 // 19 digits that nothing else has
	host, _ := os.Hostname()
	home, _ := os.UserHomeDir()
	for _, format := range []string{"parquet", "csv"} {
		for name, s := range map[string]*uint64{"seed": seeded(seed), "no seed": nil} {
			t.Run(format+" "+name, func(t *testing.T) {
				file := panelFile()
				dir := t.TempDir()
				t.Chdir(dir)
				if err := os.WriteFile("jobs.csv", []byte(file.header+"\n"+strings.Join(file.rows, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				if _, err := Run(t.Context(), parsed(t, fmt.Sprintf(panelSchema, "jobs.csv")), Options{Out: "out", Seed: s, Format: format}); err != nil {
					t.Fatal(err)
				}
				e, err := escrow.Load("out.escrow")
				if err != nil {
					t.Fatal(err)
				}
				key := e.Key.Bytes()
				secrets := map[string]string{
					"the key, raw": string(key), "the key in hex": hex.EncodeToString(key), "the key in HEX": strings.ToUpper(hex.EncodeToString(key)),
					"the key in base64": base64.RawStdEncoding.EncodeToString(key), "the key in base64 of URLs": base64.RawURLEncoding.EncodeToString(key),
					"the seed": fmt.Sprint(uint64(seed)), "the seed in hex": fmt.Sprintf("%x", uint64(seed)),
					"an employer": "EMPLR-", "a worker": "WRKR-", "the folder it was made in": dir,
				}
				if len(home) > 1 {
					secrets["the home folder"] = home + "/"
				}
				if len(host) > 4 {
					secrets["the machine's name"] = host
				}
				files := tree(t, "out")
				for name, text := range files {
					for _, form := range readable(t, filepath.Join("out", name), text) {
						for what, secret := range secrets {
							if strings.Contains(form, secret) {
								t.Errorf("%s holds %s", name, what)
							}
						}
						for _, private := range []string{e.DataDigest, "jobs.csv"} {
							if strings.HasPrefix(name, "release") && strings.Contains(form, private) {
								t.Errorf("%s holds %q", name, private)
							}
						}
					}
				}
				for name := range files {
					if name != "internal/timings.json" && strings.Contains(files[name], `"seconds"`) {
						t.Errorf("%s holds timings", name)
					}
				}
				if _, err := release.Open(context.Background(), "out/release"); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// readable returns a file as it is, unpacked, and as the values of its table.
func readable(t *testing.T, path, text string) []string {
	t.Helper()
	forms := []string{text}
	switch filepath.Ext(path) {
	case ".gz":
		z, err := gzip.NewReader(bytes.NewReader([]byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		forms = append(forms, string(b))
	case ".parquet":
		f, err := tabio.Read(t.Context(), path, tabio.Schema{})
		if err != nil || !f.Has("serial") {
			t.Fatalf("%s: columns are not read: %v", path, err)
		}
		var b strings.Builder
		for _, c := range f.Columns() {
			fmt.Fprintln(&b, c.Name)
			if c.Coded() {
				fmt.Fprintln(&b, c.Dict.Labels())
				continue
			}
			for i := range c.Len() {
				fmt.Fprintln(&b, value(c, i))
			}
		}
		forms = append(forms, b.String())
	}
	return forms
}

func value(c frame.Column, i int) string {
	if c.Missing(i) {
		return ""
	}
	return fmt.Sprintf("%.0f", c.Value(i))
}
