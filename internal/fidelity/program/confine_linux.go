package program

import (
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

// System calls of Landlock have one number on every architecture that Go knows.
const (
	sysCreateRuleset = 444
	sysAddRule       = 445
	sysRestrictSelf  = 446

	askVersion    = 1 // landlock_create_ruleset flag
	ruleBeneath   = 1
	noNewPrivs    = 38 // prctl
	openPath      = 0x200000
	accessExecute = 1 << 0
	accessReadAll = 1<<2 | 1<<3 // files, folders
	accessWrite   = 1<<1 | 1<<4 | 1<<5 | 1<<7 | 1<<8
	accessDevice  = 1<<1 | 1<<2
	// Rights that later versions of Landlock know: refer, truncate, device calls.
	accessRefer, accessTruncate, accessIoctl = 1 << 13, 1 << 14, 1 << 15
	handledAtFirst                           = 1<<13 - 1
)

// CanConfine reports whether the kernel lets this process start a program in
// namespaces of its own, without a network.
func CanConfine() bool { return namespaces() }

// namespaces tries it once: that a kernel has them does not mean that a container
// or a distribution allows them.
var namespaces = sync.OnceValue(func() bool {
	c := exec.Command("true")
	c.SysProcAttr = isolated()
	return c.Run() == nil
})

// isolated gives a program its own users, network, processes and messages. It
// has no other network card than an unconfigured loopback, and whoever kills it
// kills all that it started.
func isolated() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
}

// ConfinesFiles reports whether the kernel can keep a program from writing
// outside its scratch folder.
func ConfinesFiles() bool { return landlockVersion() > 0 }

func landlockVersion() int {
	v, _, e := syscall.Syscall(sysCreateRuleset, 0, 0, askVersion)
	if e != 0 {
		return 0
	}
	return int(v)
}

// systemFolders may be read by every program.
var systemFolders = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/proc", "/sys/devices/system/cpu", "/nix", "/run/current-system", "/snap", "/dev/urandom", "/dev/random"}

// execute starts a program and waits for it. Landlock binds the thread that asks
// for it and what it starts, so the thread is locked and never given back: when
// the goroutine ends, so does the thread.
func execute(ctx context.Context, j job, confined bool, files []*os.File) (*os.ProcessState, error) {
	type ended struct {
		state *os.ProcessState
		err   error
	}
	done := make(chan ended, 1)
	go func() {
		runtime.LockOSThread()
		attr := &os.ProcAttr{Dir: j.scratch, Env: environment(j), Files: files, Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}}
		if confined {
			attr.Sys = isolated()
			if err := restrict(j); err != nil {
				done <- ended{err: err}
				return
			}
		}
		p, err := os.StartProcess(j.command[0], j.command, attr)
		if err != nil {
			done <- ended{err: err}
			return
		}
		stop := context.AfterFunc(ctx, func() {
			if confined {
				p.Kill() //nolint:errcheck // it may have ended by itself
				return
			}
			syscall.Kill(-p.Pid, syscall.SIGKILL) //nolint:errcheck // as above
		})
		defer stop()
		state, err := p.Wait()
		done <- ended{state, err}
	}()
	e := <-done
	return e.state, e.err
}

// restrict binds the calling thread by Landlock where the kernel has it: reading
// and running what the program needs, writing its scratch folder alone.
func restrict(j job) error {
	version := landlockVersion()
	if version == 0 {
		return nil // the network is cut off all the same
	}
	handled, scratch := uint64(handledAtFirst), uint64(accessReadAll|accessWrite|1<<6|accessExecute)
	if version >= 2 {
		handled |= accessRefer
		scratch |= accessRefer
	}
	if version >= 3 {
		handled |= accessTruncate
		scratch |= accessTruncate
	}
	if version >= 5 {
		handled |= accessIoctl
	}
	attr := binary.NativeEndian.AppendUint64(nil, handled)
	fd, _, e := syscall.Syscall(sysCreateRuleset, uintptr(unsafe.Pointer(&attr[0])), uintptr(len(attr)), 0)
	if e != 0 {
		return os.NewSyscallError("landlock_create_ruleset", e)
	}
	defer syscall.Close(int(fd)) //nolint:errcheck // nothing was written
	allow := func(path string, access uint64) error {
		at, err := syscall.Open(path, openPath|syscall.O_CLOEXEC, 0)
		if err != nil {
			return nil // what does not exist needs no rule
		}
		defer syscall.Close(at) //nolint:errcheck // nothing was written
		var s syscall.Stat_t
		if err := syscall.Fstat(at, &s); err == nil && s.Mode&syscall.S_IFMT != syscall.S_IFDIR {
			access &= accessExecute | 1<<1 | 1<<2 | accessTruncate | accessIoctl
		}
		rule := binary.NativeEndian.AppendUint64(nil, access&handled)
		rule = binary.NativeEndian.AppendUint32(rule, uint32(at))
		if _, _, e := syscall.Syscall6(sysAddRule, fd, ruleBeneath, uintptr(unsafe.Pointer(&rule[0])), 0, 0, 0); e != 0 {
			return os.NewSyscallError("landlock_add_rule "+path, e)
		}
		return nil
	}
	for _, p := range append(append([]string(nil), systemFolders...), j.reads...) {
		if err := allow(p, accessReadAll|accessExecute); err != nil {
			return err
		}
	}
	for _, p := range []string{"/dev/null", "/dev/zero", "/dev/full"} {
		if err := allow(p, accessDevice); err != nil {
			return err
		}
	}
	if err := allow(j.scratch, scratch); err != nil {
		return err
	}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivs, 1, 0, 0, 0, 0); e != 0 {
		return os.NewSyscallError("prctl", e)
	}
	if _, _, e := syscall.RawSyscall(sysRestrictSelf, fd, 0, 0); e != 0 {
		return os.NewSyscallError("landlock_restrict_self", e)
	}
	return nil
}
