package program

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestMain lets the test binary play the researchers' program, so that the tests
// need neither a shell nor a language.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "researcher" {
		researcher(os.Args[2], os.Args[3:])
		return
	}
	m.Run()
}

// researcher is a small program: it does what it is told and writes terms.
func researcher(what string, args []string) {
	data, out := args[0], args[1]
	write := func(rows ...string) {
		if err := os.WriteFile(out, []byte("term,estimate,std.error\n"+strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
			panic(err)
		}
	}
	switch what {
	case "mean":
		f, err := os.Open(filepath.Join(data, "cells.csv"))
		if err != nil {
			panic(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil {
			panic(err)
		}
		fmt.Println("secret:", rows[1])
		write(fmt.Sprintf("rows,%d,1", len(rows)-1), "other,NA,")
	case "trespass": // every wall that holds is a 1
		wall := func(err error) int {
			if err != nil {
				return 1
			}
			return 0
		}
		c, err := net.DialTimeout("tcp", args[2], time.Second)
		if err == nil {
			c.Close()
		}
		_, reading := os.ReadFile(args[3])
		write(fmt.Sprintf("network,%d,1", wall(err)),
			fmt.Sprintf("writing,%d,1", wall(os.WriteFile(args[3]+".new", []byte("x"), 0o600))),
			fmt.Sprintf("reading,%d,1", wall(reading)),
			fmt.Sprintf("environment,%d,1", len(os.Getenv("SECRET_TOKEN"))))
	case "sleep":
		time.Sleep(time.Minute)
	case "fail":
		fmt.Println("secret: 42")
		panic("and fails")
	case "silent":
	}
}

func tables(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cells.csv"), []byte("serial,workers\n1,2\n2,3\n"), 0o600)
}

// options plays a researcher; trusted where this machine cannot confine one.
func options(what string, more ...string) Options {
	return Options{Command: append([]string{os.Args[0], "researcher", what, Data, Out}, more...), Trust: !CanConfine(), Limit: 20 * time.Second}
}

func TestRun(t *testing.T) {
	r, err := Run(context.Background(), options("mean"), tables)
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Printed)
	}
	want := []Term{{"rows", 2, 1}, {"other", math.NaN(), math.NaN()}}
	if diff := cmp.Diff(want, r.Terms, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	if !bytes.Contains(r.Printed, []byte("secret")) {
		t.Errorf("printed %q, want what the program printed", r.Printed)
	}
}

func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name, why string
		o         Options
		want      string
	}{
		{"fails", "the status is told, what it printed is not", options("fail"), "exit status 2"},
		{"no table", "", options("silent"), "wrote no table"},
		{"too slow", "", func() Options { o := options("sleep"); o.Limit = 300 * time.Millisecond; return o }(), "longer than 300ms"},
		{"not there", "", Options{Command: []string{"no-such-program", Data, Out}, Trust: true}, "not to be found"},
		{"no command", "", Options{}, "no command"},
		{"no data", "", Options{Command: []string{"x", Out}}, "{data}"},
		{"no out", "", Options{Command: []string{"x", Data}}, "{out}"},
		{"negative limit", "", Options{Command: []string{"x", Data, Out}, Limit: -1}, "limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begun := time.Now()
			r, err := Run(context.Background(), tt.o, tables)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("error is %v, want one with %q that quotes nothing: %s", err, tt.want, tt.why)
			}
			if tt.name == "fails" && !bytes.Contains(r.Printed, []byte("secret: 42")) {
				t.Errorf("printed %q, want it kept for whoever may read it", r.Printed)
			}
			if time.Since(begun) > 15*time.Second {
				t.Error("the limit did not stop the program")
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(300*time.Millisecond, cancel)
	if _, err := Run(ctx, options("sleep"), tables); err == nil || ctx.Err() == nil {
		t.Errorf("an interrupted program gives %v", err)
	}
}

// TestConfined: no network, no file outside the scratch folder, no variable of
// the caller.
func TestConfined(t *testing.T) {
	if !CanConfine() {
		t.Skip("this kernel or container gives no user namespaces")
	}
	t.Setenv("SECRET_TOKEN", "hush")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	// Beside the temporary folder that the program's own files lie in.
	dir, err := os.MkdirTemp(".", "outside-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	outside, err := filepath.Abs(filepath.Join(dir, "escrow"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(outside, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	// A path of its own would be handed over as a file to read.
	o := options("trespass", l.Addr().String(), Data+"/"+up(outside))
	r, err := Run(context.Background(), o, tables)
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Printed)
	}
	got := map[string]float64{}
	for _, x := range r.Terms {
		got[x.Name] = x.Estimate
	}
	want := map[string]float64{"network": 1, "writing": 1, "reading": 1, "environment": 0}
	if !ConfinesFiles() {
		want["writing"], want["reading"] = 0, 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("walls that hold (-want +got):\n%s", diff)
	}
}

// up writes an absolute path relative to the data folder of a scratch folder.
func up(path string) string { return strings.Repeat("../", 12) + strings.TrimPrefix(path, "/") }

func TestReadTerms(t *testing.T) {
	for _, tt := range []struct{ name, why, in, want string }{
		{"broom", "other columns are left alone", "term,estimate,std.error,statistic,p.value\n(Intercept),1.5,0.1,15,0\n\"post:treated\",-2e-1,0.05,-4,1e-4\n", "[{(Intercept) 1.5 0.1} {post:treated -0.2 0.05}]"},
		{"other order", "and the other spelling", "std_error,term,estimate\n1,a,2\n", "[{a 2 1}]"},
		{"missing", "NA is R's word", "term,estimate,std.error\na,NA,\n", "[{a NaN NaN}]"},
		{"byte order mark", "", "\ufeffterm,estimate,std.error\na,1,1\n", "[{a 1 1}]"},
		{"empty", "", "", "empty"},
		{"no rows", "", "term,estimate,std.error\n", "no row"},
		{"no column", "", "term,estimate\na,1\n", "std.error"},
		{"twice", "", "term,estimate,std.error\na,1,1\na,2,1\n", "stands twice"},
		{"no name", "", "term,estimate,std.error\n,1,1\n", "no name"},
		{"no number", "and the text is not quoted: it may be confidential", "term,estimate,std.error\na,secret,1\n", "no number"},
		{"negative error", "", "term,estimate,std.error\na,1,-1\n", "standard error"},
		{"ragged", "", "term,estimate,std.error\na,1\n", "line 2"},
	} {
		got, err := ReadTerms(strings.NewReader(tt.in))
		text := fmt.Sprint(got)
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, tt.want) || err != nil && strings.Contains(text, "secret") {
			t.Errorf("%s: got %s, want %s: %s", tt.name, text, tt.want, tt.why)
		}
	}
}

func FuzzReadTerms(f *testing.F) {
	f.Add("term,estimate,std.error\na,1,1\n")
	f.Add("term,estimate,std_error\n\"a\nb\",NA,inf\n")
	f.Fuzz(func(t *testing.T, in string) {
		terms, err := ReadTerms(strings.NewReader(in))
		if err == nil && len(terms) == 0 {
			t.Error("neither terms nor an error")
		}
		for _, x := range terms {
			if x.Name == "" || math.IsInf(x.Estimate, 0) || x.StdErr < 0 {
				t.Errorf("term %+v", x)
			}
		}
	})
}
