package plugin

import (
	"context"
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// settle joins what was detected with what is on record. Flags win, then the
// cluster's own word; the record is asked where neither knows, but for the
// region: the bucket is where it was put, not where the next one would be.
func (u *uninstall) settle(ctx context.Context, given render.Facts) error {
	if err := u.found.ClusterFailure; err != nil && !u.request.RoleOnly {
		return err
	}
	if err := u.found.AWSFailure; err != nil && u.needsAWS() {
		return err
	}
	u.facts = u.found.Facts
	if err := u.facts.Validate(); err != nil {
		return err
	}
	if err := u.identify(ctx); err != nil {
		return err
	}
	record := u.removal.Inventory.Record
	if !u.needsAWS() { // nobody was asked
		u.recall(record.Account, func(f *render.Facts) *render.Fact { return &f.Account })
		u.recall(record.Partition, func(f *render.Facts) *render.Fact { return &f.Partition })
	}
	if !u.facts.Issuer.Known() {
		u.recall(record.Issuer, func(f *render.Facts) *render.Fact { return &f.Issuer })
	}
	if !u.facts.ClusterID.Known() {
		u.recall(record.ClusterID, func(f *render.Facts) *render.Fact { return &f.ClusterID })
	}
	if !given.Region.Known() {
		u.recall(record.Region, func(f *render.Facts) *render.Fact { return &f.Region })
		if u.removal.Bucket != nil {
			u.recall(ack.Region(u.removal.Bucket.Live), func(f *render.Facts) *render.Fact { return &f.Region })
		}
	}
	if given.Account.Known() {
		return nil
	}
	return u.sameAccount(record.Account)
}

// onRecord is the source of a fact that only the inventory tells.
const onRecord = "configmaps/" + apply.InventoryName

// recall takes a fact from the record, if it can be true.
func (u *uninstall) recall(recorded string, of func(*render.Facts) *render.Fact) {
	u.facts = recalled(u.facts, recorded, of)
}

func (u *uninstall) needsAWS() bool { return !u.request.KeepBucket || !u.request.KeepRole }

// identify asks whose the credentials are. They must be those of the account
// that was given, where one was.
func (u *uninstall) identify(ctx context.Context) (err error) {
	if !u.needsAWS() {
		return nil
	}
	if u.found.AWS == nil {
		options := detect.AWSOptions{Profile: u.request.Facts.Profile, Region: u.facts.Region.Value}
		if u.found.AWS, err = detect.LoadAWS(ctx, options); err != nil {
			return err
		}
	}
	identity, err := u.found.AWS.Identity(ctx)
	if err != nil {
		return err
	}
	u.found.Caller = identity.Caller
	if err := u.credentialsOf(identity.Account, u.facts.Account); err != nil {
		return err
	}
	u.facts.Account.Value, u.facts.Partition.Value = identity.Account, identity.Partition
	return nil
}

// sameAccount makes sure that role and bucket are looked for in the account they
// were made in: in another one they would not be found, and nobody would remove
// them. What is no account at all is not believed.
func (u *uninstall) sameAccount(recorded string) error {
	account := render.Fact{Value: recorded, Source: "the inventory (" + onRecord + ")"}
	if !u.needsAWS() || (render.Facts{Account: account}).Validate() != nil {
		return nil
	}
	return u.credentialsOf(u.facts.Account.Value, account)
}

func (u *uninstall) credentialsOf(have string, want render.Fact) error {
	if !want.Known() || want.Value == have {
		return nil
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("the AWS credentials are of account %s", have),
		Why:  fmt.Sprintf("%s names account %s", want.Source, advice.Account(want.Value)),
		Next: "choose other credentials with --profile; or, if that is wrong, " + advice.Command("--account-id", advice.Account(have).Word()),
	}
}
