package source

import (
	"strings"
	"unicode"

	"scramblelab/internal/linked"
)

// hints are words of column names by what they stand for, in English, Dutch,
// French and German, the most telling first.
var hints = map[string][]string{
	linked.Employer: {"employer", "firm", "company", "enterprise", "establishment", "employerid", "firmid", "idunit", "plant", "unit", "business", "organisation",
		"werkgever", "onderneming", "ondernemingsnummer", "bedrijf", "kbo", "vestiging",
		"employeur", "entreprise", "etablissement", "societe", "siren", "siret",
		"arbeitgeber", "unternehmen", "betrieb", "firma"},
	linked.Worker: {"worker", "person", "employee", "individual", "workerid", "personid", "pid", "who",
		"werknemer", "persoon", "insz", "rijksregisternummer", "travailleur", "salarie", "personne", "niss", "arbeitnehmer", "mitarbeiter", "beschaeftigter"},
	linked.Year: {"year", "period", "jaar", "annee", "jahr", "periode", "wave", "an"},
	linked.Level: {"educationlevel", "education", "isced", "educ", "edu", "schooling", "qualification", "level", "degree", "diploma",
		"opleidingsniveau", "onderwijsniveau", "opleiding", "onderwijs", "niveau",
		"etudes", "formation", "instruction", "bildung", "bildungsniveau", "ausbildung", "schulbildung"},
	linked.Field: {"fieldofstudy", "educationfield", "field", "major", "studiegebied", "studierichting", "richting", "domaine", "filiere", "fachrichtung", "studienfach",
		"occupation", "isco", "beroep", "profession", "beruf"},
	linked.Sex: {"sex", "gender", "geslacht", "sexe", "genre", "geschlecht"},
	linked.Age: {"age", "ageclass", "leeftijd", "leeftijdsklasse", "alter", "altersklasse"},
	linked.Wage: {"annualearnings", "yearlywage", "annualwage", "jaarloon", "earnings", "wage", "wages", "salary", "pay", "income", "loon", "brutoloon", "wedde", "bezoldiging", "inkomen",
		"salaire", "remuneration", "lohn", "gehalt", "verdienst", "jahreslohn"},
	linked.FTE: {"fte", "vte", "etp", "vza", "fulltimeequivalent", "normalhours", "workingtime", "parttime", "arbeidsduur", "werkregime", "tempsdetravail", "arbeitszeit", "teilzeit"},
	linked.Weight: {"weights", "weight", "designweight", "samplingweight", "gewicht", "wegingsfactor", "poids", "ponderation",
		"gewichtung", "hochrechnungsfaktor"},
	linked.Sector: {"nace", "sector", "industry", "naics", "sic", "activiteit", "bedrijfstak", "secteur", "naf", "activite", "branche", "branch", "wirtschaftszweig"},
	linked.Region: {"region", "location", "nuts", "province", "state", "gewest", "provincie", "regio", "ligging",
		"departement", "bundesland"},
	linked.Size:      {"size", "sizeclass", "firmsize", "grootte", "grootteklasse", "omvang", "taille", "effectif", "groesse", "groessenklasse", "betriebsgroesse"},
	linked.Group:     {"group", "treated", "treatment", "intervention", "groep", "interventie", "groupe", "traitement", "gruppe", "behandlung"},
	linked.EventYear: {"eventyear", "automationyear", "adoptionyear", "treatmentyear", "automatiseringsjaar", "anneeautomatisation", "ereignisjahr"},
}

// notYearly are parts of names of pay that is not a year's.
var notYearly = []string{"month", "hour", "week", "day", "overtime", "bonus", "shift",
	"maand", "uur", "dag", "mois", "mensuel", "heure", "horaire", "jour", "monat", "stunde", "tag"}

// nameScore says how well a column name fits a place, 0 for not at all. Less
// telling words, which come later in the list, lose ties only.
func nameScore(name, place string) int {
	whole, words := normalise(name)
	best := 0
	for k, hint := range hints[place] {
		score := 0
		switch {
		case whole == hint:
			score = 300
		case contains(words, hint):
			score = 200
		case len(hint) >= 5 && strings.Contains(whole, hint):
			score = 100
		}
		if score > 0 {
			best = max(best, score-k)
		}
	}
	return best
}

func contains(words []string, word string) bool {
	for _, w := range words {
		if w == word || w == word+"s" {
			return true
		}
	}
	return false
}

// normalise returns a name in lower case without marks, and its words, split at
// capitals, digits and marks; accents are dropped.
func normalise(name string) (whole string, words []string) {
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			words = append(words, b.String())
			b.Reset()
		}
	}
	lower := false
	for _, r := range name {
		if !unicode.IsLetter(r) || unicode.IsUpper(r) && lower {
			flush()
		}
		lower = unicode.IsLower(r)
		if unicode.IsLetter(r) {
			b.WriteString(plainLetter(unicode.ToLower(r)))
		}
	}
	flush()
	return strings.Join(words, ""), words
}

func plainLetter(r rune) string {
	switch r {
	case 'à', 'â', 'á':
		return "a"
	case 'é', 'è', 'ê', 'ë':
		return "e"
	case 'î', 'ï':
		return "i"
	case 'ô', 'ó':
		return "o"
	case 'û', 'ù':
		return "u"
	case 'ç':
		return "c"
	case 'ä':
		return "ae"
	case 'ö':
		return "oe"
	case 'ü':
		return "ue"
	case 'ß':
		return "ss"
	}
	return string(r)
}
