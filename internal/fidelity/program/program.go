// Package program runs the researchers' own program on a folder of tables and
// reads the coefficients that it writes. The same program runs on the original
// and on the release; what differs is what the scramble cost that study.
//
// A program is other people's code with confidential data before it. It runs in
// a scratch folder of its own, with a time limit, without a network, and, where
// the kernel has Landlock, unable to write anywhere else. What cannot be
// confined is refused unless the caller trusts it. What it prints may quote the
// original: it is returned as bytes that nobody shows, and never put into an
// error.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Placeholders of a command.
const (
	Data = "{data}" // becomes the folder of tables
	Out  = "{out}"  // becomes the file to write
)

// Options says what is run. The zero value of the rest is the strictest.
type Options struct {
	// Command is the program and its arguments, some of which are or hold the
	// placeholders. Arguments that name files of the present folder, such as
	// analysis.R, are handed over with their full path.
	Command []string
	Limit   time.Duration // of its running time; 0 takes 10 minutes
	Trust   bool          // run it even where the kernel cannot confine it
}

// DefaultLimit is the running time that a program has.
const DefaultLimit = 10 * time.Minute

// mostOutput is how much of what a program prints or writes is read.
const mostOutput = 4 << 20

// Validate names what is wrong with a command and what to write instead.
func (o Options) Validate() error {
	switch {
	case len(o.Command) == 0 || o.Command[0] == "":
		return errors.New("program: no command: want the program and its arguments, such as [Rscript, analysis.R, \"{data}\", \"{out}\"]")
	case o.Limit < 0:
		return fmt.Errorf("program: limit is %v, want a time above 0, or 0 for %v", o.Limit, DefaultLimit)
	}
	for _, p := range []string{Data, Out} {
		if !strings.Contains(strings.Join(o.Command[1:], "\x00"), p) {
			return fmt.Errorf("program: the arguments %q do not hold %s: the program must be told where the data are and where to write", o.Command[1:], p)
		}
	}
	return nil
}

// Result is what a program left.
type Result struct {
	Terms []Term
	// Printed is what it wrote to standard output and error, cut at 4 MiB. On
	// the original it is confidential.
	Printed []byte
	Seconds float64
}

// ErrUnconfined says that the kernel cannot keep the program from the network.
var ErrUnconfined = errors.New("the kernel gives no user namespace to confine a program in")

// Run writes the tables into a scratch folder, runs the program there and reads
// its coefficients. Errors say what went wrong and quote nothing that the
// program printed; Result.Printed is filled all the same.
func Run(ctx context.Context, o Options, tables func(dir string) error) (Result, error) {
	if err := o.Validate(); err != nil {
		return Result{}, err
	}
	if !o.Trust && !CanConfine() {
		return Result{}, fmt.Errorf("program: %w: run it on simulated data, or trust it (--trust-program)", ErrUnconfined)
	}
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	scratch, err := os.MkdirTemp("", "scramblelab-program-") // mode 0700
	if err != nil {
		return Result{}, fmt.Errorf("program: %w", err)
	}
	defer os.RemoveAll(scratch)
	if scratch, err = filepath.EvalSymlinks(scratch); err != nil {
		return Result{}, fmt.Errorf("program: %w", err)
	}
	data, out, home := filepath.Join(scratch, "data"), filepath.Join(scratch, "out.csv"), filepath.Join(scratch, "home")
	for _, d := range []string{data, home} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return Result{}, fmt.Errorf("program: %w", err)
		}
	}
	if err := tables(data); err != nil {
		return Result{}, err
	}
	command, reads, err := o.resolve(data, out)
	if err != nil {
		return Result{}, err
	}
	return run(ctx, o, job{command: command, reads: reads, scratch: scratch, home: home, out: out})
}

// job is a program ready to start.
type job struct {
	command            []string
	reads              []string // what it may read besides the system and its scratch folder
	scratch, home, out string
}

// resolve puts the placeholders and full paths into the command, and lists the
// folders that it has to read: those of the program and of its files.
func (o Options) resolve(data, out string) (command, reads []string, err error) {
	program, err := exec.LookPath(o.Command[0])
	if err != nil {
		return nil, nil, fmt.Errorf("program: %q is not to be found: install it, or give its path: %w", o.Command[0], err)
	}
	if program, err = filepath.Abs(program); err != nil {
		return nil, nil, fmt.Errorf("program: %w", err)
	}
	command = []string{program}
	reads = append(reads, install(program)...)
	if real, err := filepath.EvalSymlinks(program); err == nil && real != program {
		reads = append(reads, install(real)...)
	}
	for _, a := range o.Command[1:] {
		if !strings.Contains(a, Data) && !strings.Contains(a, Out) && !strings.HasPrefix(a, "-") {
			if _, err := os.Stat(a); err == nil {
				if a, err = filepath.Abs(a); err != nil {
					return nil, nil, fmt.Errorf("program: %w", err)
				}
				reads = append(reads, a)
			}
		}
		command = append(command, strings.NewReplacer(Data, data, Out, out).Replace(a))
	}
	return command, reads, nil
}

// install lists where an installation keeps itself: the folder of the program,
// and beside a folder of programs those of its libraries.
func install(program string) []string {
	dir := filepath.Dir(program)
	out := []string{dir}
	if base := filepath.Base(dir); base == "bin" || base == "shims" || base == "Scripts" {
		for _, n := range []string{"bin", "lib", "lib64", "libexec", "share", "include", "versions", "version", "pyvenv.cfg"} {
			out = append(out, filepath.Join(filepath.Dir(dir), n))
		}
	}
	return out
}

// environment is what a program may know of its caller: where programs and
// libraries are, and how to write texts.
func environment(j job) []string {
	env := []string{"HOME=" + j.home, "TMPDIR=" + j.home, "USER=researcher", "SOURCE_DATE_EPOCH=0"}
	for _, n := range []string{"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "R_HOME", "R_LIBS", "R_LIBS_USER", "R_LIBS_SITE", "PYTHONPATH", "PYTHONHOME", "PYENV_ROOT", "JULIA_DEPOT_PATH", "STATATMP", "OMP_NUM_THREADS"} {
		if v, ok := os.LookupEnv(n); ok {
			env = append(env, n+"="+v)
		}
	}
	return env
}

// run starts the program, waits and reads what it wrote.
func run(ctx context.Context, o Options, j job) (Result, error) {
	log, err := os.OpenFile(filepath.Join(j.scratch, "printed"), os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o600)
	if err != nil {
		return Result{}, fmt.Errorf("program: %w", err)
	}
	defer log.Close()
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return Result{}, fmt.Errorf("program: %w", err)
	}
	defer nothing.Close()
	limited, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	begun := time.Now()
	state, err := execute(limited, j, !o.Trust || CanConfine(), []*os.File{nothing, log, log})
	r := Result{Seconds: time.Since(begun).Seconds()}
	if _, seek := log.Seek(0, io.SeekStart); seek == nil {
		r.Printed, _ = io.ReadAll(io.LimitReader(log, mostOutput)) // what can be read is shown
	}
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case limited.Err() != nil:
		return r, fmt.Errorf("program: it ran longer than %v and was stopped: make it faster, or raise its limit", o.Limit)
	case err != nil:
		return r, fmt.Errorf("program: cannot start %s: %w", filepath.Base(j.command[0]), err)
	case !state.Success():
		return r, fmt.Errorf("program: it ended with %v", state)
	}
	f, err := os.Open(j.out)
	if err != nil {
		return r, fmt.Errorf("program: it wrote no table to %s", Out)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > mostOutput {
		return r, fmt.Errorf("program: what it wrote to %s is no file of at most %d bytes", Out, mostOutput)
	}
	r.Terms, err = ReadTerms(f)
	return r, err
}
