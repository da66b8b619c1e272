package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"scramblelab/internal/folder"
	"scramblelab/internal/metric"
	"scramblelab/internal/plan"
	"scramblelab/internal/report"
	"scramblelab/internal/study"
)

func newRelease() *cobra.Command {
	var c common
	var recipients, approve, identities []string
	var reuse string
	cmd := &cobra.Command{
		Use:   "release PLAN -o DIR",
		Short: "Write only what leaves the building, and the escrow beside it",
		Long: `Scramble, draw and publish as the plan says, and write the release folder DIR
and DIR.escrow, the key and serial map that undo it. Nothing is measured.

A recipient that the plan names gets one key for the same people, because two
scrambles of them average out: a second one is refused unless two people approve
it. Deliver again with --reuse: same scramble, other serials. Keys, deliveries
and approvals are entered in a ledger, by default escrow-ledger.jsonl beside the
escrow. With --seed, or where the plan names nobody, they are entered and refuse
nothing.

EXIT STATUS
  0 done    1 error    2 wrong flags    130 interrupted`,
		Example: "  scramble release plans/employer-safe.yaml -o delivery\n  scramble release plan.yaml -o delivery --escrow-recipient age1...\n  scramble release plan.yaml -o delivery-2 --reuse delivery.escrow",
		Args:    nArgs(1, 1, "one plan"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.check(); err != nil {
				return err
			}
			p, err := loadPlan(args, "")
			if err != nil {
				return err
			}
			tellLeftovers(cmd.ErrOrStderr(), filepath.Clean(c.out))
			show, done := showProgress(cmd)
			defer done()
			o := toolOptions(cmd, &c, show)
			o.EscrowRecipients, o.Approve, o.Reuse, o.Identities = recipients, approve, reuse, identities
			warnings, err := study.Release(cmd.Context(), p, o)
			done()
			if err != nil {
				return err
			}
			warn(cmd.ErrOrStderr(), warnings)
			tellOverdue(cmd.ErrOrStderr(), p.Project)
			out := filepath.Clean(c.out)
			fmt.Fprintf(cmd.OutOrStdout(), "Release    %s\nEscrow     %s.escrow (whoever has it can undo everything)\nLedger     %s\nNext       scramble audit %s --escrow %s.escrow\n", out, out, o.LedgerFile(), out, out)
			return nil
		},
	}
	c.addTo(cmd, "the release; DIR.escrow stands beside it")
	c.addRelease(cmd)
	c.addLedger(cmd)
	cmd.Flags().StringArrayVar(&approve, "approve", nil, "`name` of one who approves a second key for the recipient; give it twice, with different names")
	cmd.Flags().StringVar(&reuse, "reuse", "", "escrow `file` of an earlier release: use its key again, under other serials")
	cmd.Flags().StringSliceVar(&identities, "identity", nil, "age identity `file` that opens the escrow of --reuse")
	cmd.Flags().StringSliceVar(&recipients, "escrow-recipient", nil, "age `recipient` (age1...) to encrypt the escrow to")
	return cmd
}

// truth are the flags of commands that score against the escrow.
type truth struct {
	release, escrow string
	identities      []string
	// Of fidelity only.
	trustProgram               bool
	statistics, saveStatistics string
}

// addTrust adds the flag that runs the researchers' program unconfined.
func addTrust(cmd *cobra.Command, trust *bool) {
	cmd.Flags().BoolVar(trust, "trust-program", false, "run the plan's own program on real data even where the kernel cannot keep it from the network")
}

func (t *truth) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.release, "release", "", "release `folder`")
	t.addEscrow(cmd)
}

func (t *truth) addEscrow(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.escrow, "escrow", "", "escrow `file` of the release")
	cmd.Flags().StringSliceVar(&t.identities, "identity", nil, "age identity `file` that opens an encrypted escrow")
}

func newFidelity() *cobra.Command {
	var c common
	var t truth
	var keys int
	cmd := &cobra.Command{
		Use:   "fidelity PLAN --release DIR --escrow FILE -o DIR",
		Short: "Measure what a release keeps of its original",
		Long: `Compare a release with the original that the plan's data hold: structure, cells,
tables of several columns, distributions, dependence, inequality and sums, wage
and head-count regressions, difference-in-differences and event studies, each
with its noise floor, and in words what is lost. Needs the escrow, which says
whose serial is whose.

A plan with fidelity.analysis.command also runs the researchers' own program on
the original and on the release: without a network, in a scratch folder, with a
time limit. What it printed about the original is confidential and stays in
DIR/analysis-original.log.

With --keys the same data are also scrambled under so many other keys, of which
nothing is kept: they say how well releases by this method are told from their
originals, and whether this one is out of the ordinary.

What is computed on the whole selection is the same for every release of a plan:
--save-statistics keeps it in a file, mode 0600, and --statistics takes it from
there, with the same result. The file holds aggregates, small cells among them,
and no records: it stays inside. It is refused once plan, data or program change.

EXIT STATUS
  0 done    1 error    2 wrong flags`,
		Example: `  scramble fidelity plan.yaml --release delivery --escrow delivery.escrow -o fidelity
  scramble fidelity plan.yaml --release second --escrow second.escrow -o again --statistics original.json`,
		Args: nArgs(1, 1, "one plan"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if t.release == "" || t.escrow == "" {
				return errUsage{fmt.Errorf("fidelity compares with the original: name --release DIR and --escrow FILE")}
			}
			if keys < 0 || keys == 1 {
				return errUsage{fmt.Errorf("--keys is %d, want a number of keys from 2, or 0 for none", keys)}
			}
			return measure(cmd, args, &c, t, func(ctx context.Context, p plan.Plan, at study.Opened, o study.Options) (*metric.Report, error) {
				o.Keys = keys
				return study.Fidelity(ctx, p, at, o)
			})
		},
	}
	c.addTo(cmd, "report.json")
	cmd.Flags().Var(&c.seed, "seed", "the `number` the release was made from, for plans that generate their data")
	t.addTo(cmd)
	addTrust(cmd, &t.trustProgram)
	cmd.Flags().IntVar(&keys, "keys", 0, "`number` of other keys, from 2, to scramble under for the null of the propensity scores")
	cmd.Flags().StringVar(&t.saveStatistics, "save-statistics", "", "`file` to keep what was computed on the original in, for other releases of the plan")
	cmd.Flags().StringVar(&t.statistics, "statistics", "", "`file` that --save-statistics wrote, to take it from")
	return cmd
}

func newAttack() *cobra.Command {
	var c common
	var t truth
	var keys int
	var perRecord bool
	cmd := &cobra.Command{
		Use:   "attack PLAN --release DIR [--escrow FILE] -o DIR",
		Short: "Attack a release as intruders would",
		Long: `Let the plan's intruders loose on a release. They have the release, a public
file (the annual accounts of the plan's data, or what the plan derives) and the
method; they make claims, written to DIR/claims.csv. With the escrow the claims
are scored, the successes written to DIR/report.json, and the serials at the
highest risk to DIR/worst.csv.

A release is one draw of its key. With --keys the same data are scrambled and
attacked under so many other keys as well, of which nothing is kept: the report
then holds the mean over keys and the standard deviation between them.

EXIT STATUS
  0 done    1 error    2 wrong flags`,
		Example: "  scramble attack plan.yaml --release delivery --escrow delivery.escrow -o attack",
		Args:    nArgs(1, 1, "one plan"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if t.release == "" {
				return errUsage{fmt.Errorf("nothing to attack: name the release with --release DIR")}
			}
			switch {
			case keys < 0:
				return errUsage{fmt.Errorf("--keys is %d, want a number of keys from 1, or 0 for the release alone", keys)}
			case t.escrow == "" && (keys > 0 || perRecord):
				return errUsage{fmt.Errorf("--keys and --per-record compare with the truth: name the escrow with --escrow FILE")}
			}
			return measure(cmd, args, &c, t, func(ctx context.Context, p plan.Plan, at study.Opened, o study.Options) (*metric.Report, error) {
				o.Keys, o.PerRecord = keys, perRecord
				return study.Attack(ctx, p, at, o)
			})
		},
	}
	c.addTo(cmd, "claims.csv and, with the escrow, report.json and worst.csv")
	cmd.Flags().IntVar(&keys, "keys", 0, "`number` of other keys to scramble and attack under, for the expectation over keys")
	cmd.Flags().BoolVar(&perRecord, "per-record", false, "also write employer-risk.csv, the risk of every serial")
	cmd.Flags().Var(&c.seed, "seed", "the `number` the release was made from, for plans that generate their data")
	t.addTo(cmd)
	return cmd
}

// measure runs one stage on a release that was written before.
func measure(cmd *cobra.Command, args []string, c *common, t truth, stage study.Stage) error {
	if err := c.check(); err != nil {
		return err
	}
	p, err := loadPlan(args, "")
	if err != nil {
		return err
	}
	show, done := showProgress(cmd)
	defer done()
	o := toolOptions(cmd, c, show)
	o.TrustProgram, o.Statistics, o.SaveStatistics = t.trustProgram, t.statistics, t.saveStatistics
	r, err := stage(cmd.Context(), p, study.Opened{Release: t.release, Escrow: t.escrow, Identities: t.identities}, o)
	done()
	if err != nil {
		return err
	}
	warn(cmd.ErrOrStderr(), r.Warnings)
	if c.json != "-" {
		report.Numbers(cmd.OutOrStdout(), r)
	}
	return c.writeJSON(cmd.OutOrStdout(), r)
}

func newReport() *cobra.Command {
	var out, audience, lang string
	var force bool
	cmd := &cobra.Command{
		Use:   "report REPORT.json -o FILE.html",
		Short: "Write a report as one HTML file",
		Long: `Write a report.json as one self-contained HTML file, which needs no network.

A report compares with the originals and is confidential. For the recipient of
the release or for the public, --audience leaves verdicts and rounded bounds: no
exact figure, no group of which fewer than ten units could be told apart, no
text that a run has written. The data inside the page are rounded alike.

--lang chooses the language of the fixed texts. What a run has written, such as
how a number was measured, is English in all of them.

EXIT STATUS
  0 done    1 error    2 wrong flags`,
		Example: "  scramble report out/internal/report.json -o report.html\n  scramble report out/internal/report.json -o for-the-team.html --audience recipient --lang nl",
		Args:    nArgs(1, 1, "one report.json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return errUsage{fmt.Errorf("no output file: name one with -o, such as -o report.html")}
			}
			var o report.Options
			var err error
			if o.Audience, err = report.ParseAudience(audience); err != nil {
				return errUsage{err}
			}
			if o.Lang, err = report.ParseLang(lang); err != nil {
				return errUsage{err}
			}
			r, err := readReport(args[0])
			if err != nil {
				return err
			}
			tellOverdueReport(cmd.ErrOrStderr(), r)
			write := folder.WriteNewFile
			if force {
				write = folder.WriteFile
			}
			return write(out, 0o600, func(w io.Writer) error { return report.HTML(w, r, o) })
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "HTML `file` to write")
	cmd.Flags().StringVar(&lang, "lang", "en", "language of the fixed texts: en, nl or fr")
	cmd.Flags().StringVar(&audience, "audience", "internal", "who may read it: internal, recipient or public")
	cmd.Flags().BoolVar(&force, "force", false, "replace the output if it exists")
	return cmd
}

func newAudit() *cobra.Command {
	var t truth
	var c common
	var file string
	cmd := &cobra.Command{
		Use:   "audit DIR [--escrow FILE [--plan PLAN]]",
		Short: "Look for what a release folder must not carry",
		Long: `Look through a release for original identifiers and their hashes, enterprise
numbers, keys, seeds, paths, exact values where classes were promised, cells
under the minimum that was promised, labels outside the codebook, bytes that no
table accounts for, and any order that says something of the original. With the
escrow the search knows what to look for.

With the escrow and the plan it proves that the release is that plan applied to
the data: by the permutations that the escrow kept, and by making the release
again from the key where the version is the same.

EXIT STATUS
  0 nothing found    1 error    2 wrong flags    3 a leak was found, or a proof failed`,
		Example: "  scramble audit out/release --escrow out.escrow\n  scramble audit delivery --escrow delivery.escrow --plan plan.yaml",
		Args:    nArgs(1, 1, "one release folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.release = args[0]
			var p *plan.Plan
			if file != "" {
				if t.escrow == "" {
					return errUsage{fmt.Errorf("--plan proves what the escrow says: name --escrow FILE too")}
				}
				read, err := loadPlan([]string{file}, "")
				if err != nil {
					return err
				}
				p = &read
			}
			show, done := showProgress(cmd)
			defer done()
			findings, err := study.Audit(cmd.Context(), p, study.Opened{Release: t.release, Escrow: t.escrow, Identities: t.identities}, study.Options{Seed: c.seed.value, Progress: show})
			done()
			if err != nil {
				return err
			}
			failed, err := showFindings(cmd.OutOrStdout(), findings)
			if err == nil && failed {
				err = errGate
			}
			return err
		},
	}
	cmd.Flags().StringVar(&file, "plan", "", "plan `file` that the release was made from: prove that it is that plan applied to the data")
	cmd.Flags().Var(&c.seed, "seed", "the `number` the release was made from, for plans that generate their data")
	t.addEscrow(cmd)
	return cmd
}
