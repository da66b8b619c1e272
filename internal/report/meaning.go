package report

// meaning is a number in words: what it is, in a few; what it tells, in a
// sentence or two.
type meaning struct{ what, means string }

// attackMeaning explains the measures of internal/score.
func attackMeaning(a attackName) meaning {
	switch a.measure {
	case "top1":
		return meaning{"employer named right",
			"Share of the released serial numbers for which the intruder names the employer behind it, and is right. At 0 % nobody is found, at 100 % everybody."}
	case "top5":
		return meaning{"employer among five names",
			"Share of serial numbers whose employer is among the five that the intruder holds for likeliest: a look at the web could settle the rest."}
	case "anonymity-set":
		return meaning{"employers left to choose from",
			"Among how many employers the intruder still hesitates, for the serial number in the middle. 1 means no hesitation at all."}
	case "workers-exposed":
		return meaning{"staff whose employer is named right",
			"Share of the people in the release who work for an employer that the intruder names right. Large employers weigh more here than in the share of employers."}
	case "precision90":
		return meaning{"names that are right",
			"Of the names that the intruder is at least 90 % sure of, the share that is right. High means that an intruder can tell which finds to trust. N counts such names."}
	case "claims90":
		return meaning{"serials named at all",
			"Share of serial numbers for which the intruder is at least 90 % sure, rightly or not."}
	case "named90":
		return meaning{"serials named, and rightly",
			"Share of serial numbers that the intruder names with at least 90 % certainty, and rightly: finds that can be acted upon."}
	case "unique":
		return meaning{"employers whose figures nobody else has",
			"Share of employers whose path, their figures year after year, belongs to no other employer of the selection: whoever knows the path knows the employer, and no exchange of attributes changes it."}
	case "decoys":
		return meaning{"names that are not in the release",
			"Share of the intruder's names that are employers outside the fragment: false finds. Many false finds make every find doubtful."}
	case "wage-class":
		if a.method == "chain" {
			return meaning{"wage class right",
				"Share of workers for whom the intruder first finds the employer in the release and then states the right wage class. Both must be right, while the guess without the release only needs the class: below that guess does not mean safe."}
		}
		return meaning{"wage class right",
			"Share of workers whose wage class the intruder states rightly, already knowing the employer's serial number and the worker's education."}
	case "auc":
		if a.method == "plausibility" {
			return meaning{"swapped cells told from genuine ones",
				"How well the intruder tells a cell of one in which a swap put a stranger from a genuine one: 50 % is a coin, 100 % is certainty."}
		}
		return meaning{"in the fragment or not",
			"How well the intruder tells employers that are in the fragment from those that are not: 50 % is a coin, 100 % is certainty."}
	case "tpr1", "tpr01":
		mistakes := "1 %"
		if a.measure == "tpr01" {
			mistakes = "0.1 %"
		}
		return meaning{"recognised as part of the fragment, at " + mistakes + " mistakes",
			"Share of the employers in the fragment that the intruder recognises while taking at most " + mistakes + " of the others for part of it."}
	case "within-5000":
		return meaning{"newcomer's wage within 5,000 euro",
			"A cell that grows from one worker to two gives the newcomer's wage away: share of such claims that are within 5,000 euro of the wage of somebody who did join."}
	case "placed":
		return meaning{"staff put back in the right cell",
			"Share of the staff whom an intruder counts under the right diploma after comparing the years of every serial, against the row for the release as it stands."}
	case "false-claims":
		return meaning{"false finds",
			"Share of employers outside the fragment for which the intruder is at least 90 % sure of a serial. Many false finds make every find doubtful."}
	case "excess":
		return meaning{"wage classes right beyond guessing",
			"Wage classes stated rightly with the release, minus those guessed rightly without it: what the release adds, as a share of workers."}
	}
	return meaning{what: spaced(a.measure)}
}

// fidelityMeanings explains the measures of internal/fidelity.
var fidelityMeanings = map[string]meaning{
	"fidelity.cells.share-exact": {"Cells exactly as in truth",
		"Share of cells (employer, year, level, field) of which the head count and both classes are the true ones."},
	"fidelity.cells.workers-mae": {"Error of a cell's head count",
		"How many people a cell's head count is wrong by, on average."},
	"fidelity.cells.false-zero-share": {"True cells that the release lacks",
		"Share of the real cells that a researcher cannot see."},
	"fidelity.cells.false-nonzero-share": {"Released cells that do not exist",
		"Share of the released cells in which nobody really works."},
	"fidelity.cells.wage-class-agreement": {"Cells whose wage class is right",
		"Among cells that exist in truth and in the release."},
	"fidelity.cells.fte-class-agreement": {"Cells whose FTE class is right",
		"Among cells that exist in truth and in the release."},
	"fidelity.employers.age-class-agreement": {"Employers whose age class is right",
		"Share of employer-years whose class of mean age is the true one."},
	"fidelity.structure.columns-same": {"Columns as in phase two",
		"Share of columns that code written on the release will find again, with the same type."},
	"fidelity.structure.key-unique": {"Rows with a key of their own",
		"Share of rows that no other row shares its key with."},
	"fidelity.structure.references-found": {"Cells that find their employer",
		"Share of cells whose employer has a row: what joins do not lose."},
	"fidelity.structure.missing-tv": {"Patterns of missing values",
		"How far the release is from the original in which columns lack values together."},
	"fidelity.structure.panel-length-tv": {"Length of panels",
		"How far the release is from the original in the number of years that employers are seen."},
	"fidelity.structure.employer-years-kept": {"Employer-years kept",
		"Share of the original's employer-years with staff that the release has."},
	"fidelity.structure.codes-met": {"Codes of the original that occur",
		"Share of the codes in use in the fragment that code can be tried on."},
	"fidelity.structure.codes-strange": {"Codes that phase two never has",
		"Share of the codes in the release that truth does not use."},
	"fidelity.fragment.codes-met": {"Codes of phase two that occur in the fragment",
		"Code is never tried on the others."},
	"fidelity.marginals.two-way-tv": {"Tables of two columns",
		"Share of the staff in a wrong cell, averaged over all tables of two columns."},
	"fidelity.marginals.three-way-tv": {"Tables of three columns",
		"Share of the staff in a wrong cell, averaged over all tables of three columns."},
	"fidelity.marginals.nist-score": {"SDNist's k-marginal score",
		"The two-way distance on the scale of that tool: 1000 is perfect. Columns that no scramble touches raise it."},
	"fidelity.dependence.association-error": {"Strength of associations",
		"By how much the strength of association of two columns, from 0 to 1, is off on average."},
	"fidelity.propensity.auc": {"Telling release from original",
		"How often a tree places a cell of the release above one of the original, on employers it has not seen; 0.5 is guessing."},
	"fidelity.propensity.pmse-ratio": {"Distinguishability, in floors",
		"Below 1 the scramble changes less than drawing another fragment."},
	"fidelity.margins.level-field-subsample": {"Totals by education: worth a sample of",
		"The share of the employers whose unscrambled sample errs as much as the release."},
	"fidelity.regression.wage-subsample": {"Wage regression: worth a sample of",
		"The share of the employers whose unscrambled sample errs as much as the release."},
	"fidelity.regression.wage-systematic-se": {"Wage regression: bias",
		"The part of the shift that any key would give, in standard errors. No larger file repairs it."},
	"fidelity.did.subsample": {"Effect of automation: worth a sample of",
		"The share of the employers whose unscrambled sample errs as much as the release."},
	"fidelity.did.systematic-se": {"Effect of automation: bias",
		"The part of the shift that any key would give, in standard errors. No larger file repairs it."},
	"fidelity.heads.overlap": {"Head counts by level: overlap of intervals",
		"How much the 95 % intervals of the head-count regressions share before and after the scramble."},
	"fidelity.event-study.overlap": {"Event study: overlap of intervals",
		"How much the 95 % intervals of the event study share before and after the scramble, by an estimator robust to staggered timing."},
	"fidelity.program.overlap": {"The researchers' own program: overlap of intervals",
		"How much the 95 % intervals of what their program estimates share before and after the scramble."},
	"fidelity.program.terms-kept": {"The researchers' own program: coefficients kept",
		"Share of the coefficients that it estimates before and also after the scramble."},
	"fidelity.margins.level-field-tv": {"Staff in a wrong education cell",
		"Share of all staff that would have to change education to give the true totals by level and field. Totals hide what happens inside an employer: never read this one alone."},
	"fidelity.fragment.level-field-tv": {"Staff in a wrong education cell: drawing a fragment",
		"The same distance between the unscrambled fragment and the whole selection: what any fragment of this size costs."},
	"fidelity.wages.level-field-error": {"Error of mean wages by education",
		"How far mean wages by level and field are off; 0.04 log points are about 4 %."},
	"fidelity.fragment.level-field-error": {"Error of mean wages by education: drawing a fragment",
		"The same between the unscrambled fragment and the whole selection."},
	"fidelity.regression.wage-overlap": {"Wage regression: overlap of intervals",
		"How much the 95 % intervals of the coefficients share before and after the scramble: 1 is the same interval, 0 is side by side, negative is apart."},
	"fidelity.regression.wage-bias-se": {"Wage regression: shift",
		"How far the scramble moves a coefficient, in its standard errors. Above 2 a researcher would draw another conclusion."},
	"fidelity.fragment.wage-bias-se": {"Wage regression: shift from drawing a fragment",
		"The same between the unscrambled fragment and the whole selection."},
	"fidelity.did.overlap": {"Effect of automation: overlap of intervals",
		"How much the 95 % intervals of the difference-in-differences share before and after the scramble: 1 is the same interval, 0 is side by side, negative is apart."},
	"fidelity.did.bias-se": {"Effect of automation: shift",
		"How far the scramble moves an estimated effect, in its standard errors. Above 2 a researcher would draw another conclusion."},
	"fidelity.fragment.did-bias-se": {"Effect of automation: shift from drawing a fragment",
		"The same between the unscrambled fragment and the whole selection."},
}

// swapMeanings explains what a swap reports, by the beginning of the measure.
var swapMeanings = []struct {
	measure string
	meaning
}{
	{"touched", meaning{"values exchanged", "Share of units that received somebody's value: the true rate, beside the one that was asked for."}},
	{"changed", meaning{"values really changed", "Share of units whose value is really another one; partners may happen to have the same value."}},
	{"unswappable", meaning{"units without a partner", "Share of units that no rate can touch, because nobody in their group differs."}},
}

type term struct{ Word, Means string }

// glossary explains the words of the page.
var glossary = []term{
	{"Baseline", "What the same intruder reaches without the release: by drawing a name from the public file, or by guessing the commonest wage class. A rate means something only beside it."},
	{"Cell", "All staff of one employer in one year with the same education level and field. The release gives their number and the classes of their mean wage and mean FTE."},
	{"Class", "A range, such as [25000,30000) euro, published in place of the figure."},
	{"Difference-in-differences", "The change at automating employers, minus the change at the control group: how researchers estimate the effect of automation."},
	{"Escrow", "The secret file with the key and the list of serial numbers. Whoever has it can undo everything; it stays inside."},
	{"Fragment", "The part of the selection that is handed over in phase one, drawn at random within groups."},
	{"FTE", "Full-time equivalent: 1 is a full-time job over the whole year."},
	{"Gate", "A limit of the policy on one number. It looks at the bad end of the interval, so a small test cannot pass by luck."},
	{"Interval", "Where the true rate lies with 95 % certainty, given that the test covers a limited number of cases."},
	{"Intruder", "Somebody with stated knowledge who tries to find employers or workers in the release. All know the method and its settings; only the key is secret, unless a row says otherwise."},
	{"Log point", "A relative difference: 0.01 is about 1 %."},
	{"N and M", "N: how many cases were tried. M: among how many the right one had to be found, such as the employers of the public file. N may count people and M employers."},
	{"Noise floor", "How much another fragment of the same size would differ by mere chance. Damage well below it drowns in the luck of the draw."},
	{"One-to-one", "The intruder gives every serial number another employer, all at once, so that the whole fits best."},
	{"Pseudonymised", "Names and numbers are replaced by meaningless serial numbers. The data remain personal data as long as somebody might be found in them."},
	{"Scramble error, fragment error", "Scramble error: release against the same fragment unscrambled. Fragment error: that fragment against the whole selection. Only the first comes from the scramble."},
	{"Serial", "The meaningless number that stands for an employer in the release."},
	{"Swap", "Two units exchange some of their values, such as the diplomas of two workers. Totals stay, links break."},
}
