package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// The annotations of a service account that the pod identity webhook reads
// (pkg/annotations.go in its repository), besides live.RoleAnnotation.
const (
	annotationDomain     = "eks.amazonaws.com/"
	audienceAnnotation   = annotationDomain + "audience"
	regionalAnnotation   = annotationDomain + "sts-regional-endpoints"
	expirationAnnotation = annotationDomain + "token-expiration"
)

func accountThere(ctx context.Context, i identityLook) Finding {
	account, err := i.Account(ctx)
	switch {
	case err != nil:
		return unreadable(i.Conn, err, "list serviceaccounts in "+i.Namespace, "whether the app's service account is there and which role it names")
	case account == nil:
		return Refuse("service account "+render.ServiceAccount+" is not there",
			"the role trusts no other, and no new pod of the frontend can start without it",
			i.again(ctx))
	}
	return Pass()
}

// annotations is what the checks of the service account judge.
type annotations struct {
	all      map[string]string
	injected bool // the pods get their identity by the annotations
	facts    render.Facts
	recorded string // the role's ARN in the inventory
	audience string // what the role asks for
	again    string
}

// harm is the finding of an annotation that is wrong: where the pods carry
// their identity themselves it does none yet.
func (a annotations) harm(what, why string) Finding {
	if a.injected {
		return Refuse(what, why, a.again)
	}
	return Warn(what, why+"; the pods carry their identity themselves, so it does no harm to them", a.again)
}

// without is the command that removes an annotation.
func (a annotations) without(key string) string {
	return advice.Command("oc annotate serviceaccount", render.ServiceAccount, "-n", a.facts.Namespace.Value, awserr.Redact(key)+"-")
}

// annotated judges all annotations that the webhook reads.
func annotated(ctx context.Context, i identityLook) Finding {
	account, err := i.Account(ctx)
	if err != nil {
		return Fail(i.Conn.Translate(err))
	}
	a := annotations{all: account.GetAnnotations(), facts: i.Facts, again: i.again(ctx)}
	a.facts.Account.Value = awsLook{i.World}.callers(ctx)
	if a.injected, err = i.injected(ctx); err != nil {
		return Fail(i.Conn.Translate(err))
	}
	inventory, _ := i.Inventory(ctx) // what cannot be read is not on record
	if _, err := render.ParseARNOf(inventory.RoleARN, "iam", "role"); err == nil {
		a.recorded = inventory.RoleARN
	}
	a.audience, _ = i.audience(ctx)
	return worstFirst([]Finding{misspelt(a), namesRole(a), asksForToken(a)})
}

// misspelt finds a role under a key that no webhook reads.
func misspelt(a annotations) Finding {
	for _, key := range slices.Sorted(maps.Keys(a.all)) {
		domain, name, _ := strings.Cut(key, "/")
		switch {
		case key == live.RoleAnnotation, name != "role-arn" && domain != "role-arn":
			continue
		case a.all[live.RoleAnnotation] == "":
			return a.harm("service account "+render.ServiceAccount+" names its role under "+awserr.Redact(key),
				"the pod identity webhook reads "+live.RoleAnnotation+" and nothing else")
		}
		return Warn("service account "+render.ServiceAccount+" has an annotation "+awserr.Redact(key)+" that nothing reads",
			"the role is named by "+live.RoleAnnotation+", which is there too",
			a.without(key))
	}
	return Pass()
}

// namesRole holds the annotation against what can be a role of this install.
func namesRole(a annotations) Finding {
	const who = "service account " + render.ServiceAccount
	text := a.all[live.RoleAnnotation]
	if text == "" {
		if misspelt(a).Status != Passed {
			return Leave("it is named under another key")
		}
		return a.harm(who+" names no role", "it has no annotation "+live.RoleAnnotation+": the webhook gives its pods no identity")
	}
	if a.facts.Account.Value == "" {
		return Leave("needs " + IDAccount)
	}
	arn, err := render.ParseARNOf(text, "iam", "role")
	shown := advice.RoleARN(text).String()
	switch {
	case err != nil:
		return a.harm(who+" does not name a role but "+shown, "the webhook puts it into pods as it is, and STS refuses it: "+Fail(err).Why)
	case !advice.RoleARN(text).Legal():
		return a.harm(who+" does not name a role but "+shown, "the webhook puts it into pods as it is, and STS refuses it: it has characters that no role has in its path or name")
	case arn.Partition != a.facts.Partition.Value:
		return a.harm(who+" names a role of another partition, "+shown, "you are in "+a.facts.Partition.Value+", and a token of one partition opens no role of another")
	case arn.Account != a.facts.Account.Value:
		return a.harm(who+" names a role of another account, "+shown,
			"your credentials are of account "+a.facts.Account.Value+", where role and bucket belong; if the other is right, look with its --profile")
	case a.recorded != "" && text != a.recorded:
		return a.harm(who+" names another role than the install's, "+shown, "the inventory names "+advice.RoleARN(a.recorded).String())
	}
	return Pass()
}

// asksForToken holds the annotations that change the token against what the
// role and the webhook take.
func asksForToken(a annotations) Finding {
	const who = "service account " + render.ServiceAccount
	audience, given := a.all[audienceAnnotation]
	platform := a.facts.Platform.Value
	var all []Finding
	switch {
	case given && audience != a.audience:
		all = append(all, a.harm(fmt.Sprintf("%s asks for tokens for audience %q", who, awserr.Redact(audience)),
			"the role trusts tokens for "+a.audience+": with others STS says AccessDenied, or Incorrect token audience"))
	case !given && a.injected && (platform == render.PlatformROSAHCP || a.audience != render.DefaultAudience):
		all = append(all, a.harm(who+" does not say for which audience its tokens are",
			"the webhook then takes its own (openshift on ROSA HCP, "+render.DefaultAudience+" elsewhere); the role trusts "+a.audience))
	}
	if text, given := a.all[expirationAnnotation]; given {
		if why := badExpiration(text); why != "" {
			all = append(all, Warn(who+" asks for tokens of "+strconv.Quote(awserr.Redact(text))+" seconds", why, a.again))
		}
	}
	if text, given := a.all[regionalAnnotation]; given && text != "true" {
		all = append(all, Warn(who+" asks for the global STS endpoint ("+regionalAnnotation+"="+strconv.Quote(awserr.Redact(text))+")",
			"its tokens do not work in opt-in regions, and private clusters do not reach it", a.again))
	}
	return worstFirst(all)
}

// badExpiration says what the webhook makes of a token's life, empty if what it
// says.
func badExpiration(text string) string {
	const least, usual = 600, 86400
	seconds, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return fmt.Sprintf("that is no number: the webhook takes its default of %d", usual)
	case seconds < least:
		return fmt.Sprintf("the webhook takes no less than %d", least)
	}
	return ""
}

// tokenIssuer holds the issuer in a token against the one that everything was
// made for: an API server whose issuer was changed signs by the one of its flags,
// whatever the configuration says.
func tokenIssuer(ctx context.Context, i identityLook) Finding {
	issuer, err := i.TokenIssuer(ctx)
	if err != nil {
		return unreadable(i.Conn, err, "create serviceaccounts/token in "+i.Namespace, "whether tokens are of the issuer "+i.Facts.Issuer.Value)
	}
	return judgeTokenIssuer(issuer, i.Facts)
}

func judgeTokenIssuer(issuer string, f render.Facts) Finding {
	normal, err := render.NormalizeIssuer(issuer)
	if err == nil && normal == f.Issuer.Value {
		return Pass()
	}
	return Refuse(fmt.Sprintf("the API server issues tokens as %q", awserr.Redact(issuer)),
		"the role is looked for, and trusts, the issuer "+f.Issuer.Value+" ("+f.Issuer.Source+"): AWS refuses tokens of another",
		"if the issuer was changed a moment ago, wait until every API server has it; else give the one in the tokens with --oidc-issuer to install and check")
}
