package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"scramblelab/internal/escrow"
	"scramblelab/internal/release"
	"scramblelab/internal/study"
)

func newDestroy() *cobra.Command {
	var o release.DestroyOptions
	var identities []string
	var ledger string
	var yes bool
	cmd := &cobra.Command{
		Use:   "destroy DIR",
		Short: "Remove a release, and leave a certificate",
		Long: `Remove a release folder and leave DIR.destroyed.json: which files with which
checksums were removed, the digest of the manifest, purpose, recipient, when,
and by whom. The escrow is kept unless it is named: without it the release can
no longer be checked by anybody.

A folder that is no release, or holds anything else, is refused; links are not
followed. A call that was cut off is finished by the same call.

Removing a file is no erasure: blocks of a disk, snapshots, backups and copies
that were made stay. The certificate says so.

EXIT STATUS
  0 destroyed    1 error    2 wrong flags, or nobody said yes`,
		Example: "  scramble destroy delivery --yes --by \"A. Peeters\"\n  scramble destroy delivery --escrow delivery.escrow",
		Args:    nArgs(1, 1, "one release folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := filepath.Clean(args[0])
			tellLeftovers(cmd.ErrOrStderr(), dir)
			if err := belongs(dir, o.Escrow, identities); err != nil {
				return err
			}
			if man, err := release.ReadManifest(dir); err == nil {
				warn(cmd.ErrOrStderr(), man.Overdue(time.Now()))
			}
			if !yes {
				if err := confirm(cmd.InOrStdin(), cmd.ErrOrStderr(), dir); err != nil {
					return err
				}
			}
			o.Now, o.Tool = time.Now(), study.Tool()
			c, err := release.Destroy(dir, o)
			if err != nil {
				return err
			}
			at := filepath.Dir(dir)
			if o.Escrow != "" {
				at = filepath.Dir(o.Escrow)
			}
			if err := enterDestroyed(ledger, filepath.Join(at, escrow.BookName), c); err != nil {
				return fmt.Errorf("%s is destroyed and certified, but not entered: %w", dir, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Destroyed    %s, on %s\nCertificate  %s\nEscrow       %s\n", dir, c.Finished, release.CertificateName(dir), c.EscrowState)
			fmt.Fprintln(cmd.OutOrStdout(), "Not covered  blocks on disk, snapshots, backups and copies: removing a file is no erasure")
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&yes, "yes", false, "do not ask")
	f.StringVar(&o.Escrow, "escrow", "", "also destroy this escrow `file`")
	f.StringSliceVar(&identities, "identity", nil, "age identity `file` that opens the escrow, to see that it is this release's")
	f.StringVar(&o.By, "by", "", "`name` of who destroys it, for the certificate")
	f.StringVar(&ledger, "ledger", "", "ledger `file` to enter it in (default escrow-ledger.jsonl beside the release or escrow, if there is one)")
	return cmd
}

// belongs refuses an escrow that is none, or is another release's as far as it
// can be read. What is no longer there is for a call that was cut off.
func belongs(dir, path string, identities []string) error {
	if path == "" {
		return nil
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(release.CertificateName(dir)); err == nil {
			return nil
		}
	}
	encrypted, err := escrow.Encrypted(path)
	if err != nil || encrypted && len(identities) == 0 {
		return err
	}
	e, err := escrow.Load(path, identities...)
	if err != nil {
		return err
	}
	man, err := release.ReadManifest(dir)
	if err != nil {
		return nil // begun before, or no release: the destruction says which
	}
	if e.PlanDigest != man.PlanDigest || e.Phase != man.Phase || e.Delivery != man.Delivery {
		return fmt.Errorf("%s is the escrow of another release than %s: name the one that was written beside it", path, dir)
	}
	return nil
}

// confirm asks for the name of the folder on a terminal.
func confirm(in io.Reader, out io.Writer, dir string) error {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return errUsage{fmt.Errorf("%s would be destroyed, and nobody is there to ask: add --yes", dir)}
	}
	name := filepath.Base(dir)
	fmt.Fprintf(out, "Type %s to destroy it: ", name)
	line, _ := bufio.NewReader(in).ReadString('\n')
	if strings.TrimSpace(line) != name {
		return errUsage{fmt.Errorf("%s is kept: its name was not typed", dir)}
	}
	return nil
}

// enterDestroyed enters a certificate in the ledger that was named, or in the
// one that stands there.
func enterDestroyed(named, standing string, c release.Certificate) error {
	if named == "" {
		if _, err := os.Lstat(standing); err != nil {
			return nil
		}
		named = standing
	}
	book, err := escrow.OpenBook(named)
	if err != nil {
		return err
	}
	return book.Destroyed(time.Now(), escrow.Destroyed{Release: c.Release, Manifest: c.Manifest, Recipient: c.Recipient, Escrow: c.EscrowState, By: c.By, Finished: c.Finished})
}
