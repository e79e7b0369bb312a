namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>What support does, under a key: a repetition gives the first answer, another request under it is refused.</summary>
public abstract record SupportCall(string Key) : Command
{
    protected const string Reason = ",\"reason\":\"by the model\"}";

    protected static Guid KeyOf(World world, string key) => World.IdOf(world.Prefix + "support" + key);

    /// <summary>Calls; false when it was a repetition, which has been checked then.</summary>
    protected async Task<(Outcome Outcome, bool IsNew)> CallAsync(Play play, string sql, string request, params object?[] more)
    {
        var outcome = await play.AsSupportAsync(sql, [KeyOf(play.World, Key), request, .. more]);
        if (!play.World.AdminResponses.TryGetValue(Key, out var first))
        {
            return (outcome, true);
        }
        if (first.Request != GetType().Name + request)
        {
            // What the request names may be gone meanwhile, or stand in its way, before its key is read.
            Play.Refused(outcome, "ERR_4009", "ERR_4007", "ERR_4000");
        }
        else if (outcome.Error is null || !outcome.Is("ERR_4007"))
        {
            Play.Expect((string)Play.Good(outcome).Value! == first.Response, $"the repeated key answered {outcome.Value} and not {first.Response}");
        }
        return (outcome, false);
    }

    protected void Keep(Play play, string request, Outcome outcome) =>
        play.World.AdminResponses[Key] = (GetType().Name + request, (string)Play.Good(outcome).Value!);
}

/// <summary>Support gives credits back, for a job or just so.</summary>
public sealed record SupportRefunds(string Key, string Who, int Amount, string? Name) : SupportCall(Key)
{
    public override string Line => $"support refunds {Who} {Amount} credits{(Name is null ? "" : " for " + Name)}, key {Key}";

    public override async Task PlayAsync(Play play)
    {
        if (!play.World.People.TryGetValue(Who, out var person))
        {
            return;
        }
        Job? job = null;
        if (Name is not null && !play.World.Jobs.TryGetValue(Name, out job))
        {
            return;
        }
        var request = $"{{\"user_id\":\"{person.Id}\",\"amount\":{Amount}" + (job is null ? "" : $",\"job_id\":\"{job.Id}\"") + Reason;
        var (outcome, isNew) = await CallAsync(play, "select admin_refund_credits($1, $2::jsonb, 1000)::text", request);
        if (!isNew)
        {
            return;
        }
        if (person.Account.IsDeleted || (job is not null && job.Owner.Account != person.Account))
        {
            Play.Refused(outcome, "ERR_4007");
        }
        else if (job is not null && Amount > job.Rest)
        {
            // More than the job still holds: it has given back what it took, or would give back more.
            Play.Refused(outcome, "ERR_4012", "ERR_4000");
        }
        else
        {
            Play.Good(outcome);
            person.Account.Balance += Amount;
            if (job is not null)
            {
                job.Returned += Amount;
            }
            Keep(play, request, outcome);
        }
    }
}

/// <summary>Support sets a balance right.</summary>
public sealed record SupportAdjusts(string Key, string Who, int Amount) : SupportCall(Key)
{
    public override string Line => $"support adjusts {Who} by {Amount}, key {Key}";

    public override async Task PlayAsync(Play play)
    {
        if (!play.World.People.TryGetValue(Who, out var person))
        {
            return;
        }
        var request = $"{{\"user_id\":\"{person.Id}\",\"amount\":{Amount}" + Reason;
        var (outcome, isNew) = await CallAsync(play, "select admin_adjust_credits($1, $2::jsonb, 1000)::text", request);
        if (!isNew)
        {
            return;
        }
        if (person.Account.IsDeleted)
        {
            Play.Refused(outcome, "ERR_4007");
        }
        else if (Amount < 0 && person.Account.Balance + Amount < 0)
        {
            Play.Refused(outcome, "ERR_4012");
        }
        else
        {
            Play.Good(outcome);
            person.Account.Balance += Amount;
            person.Account.Total += Math.Max(0, Amount);
            Keep(play, request, outcome);
        }
    }
}

/// <summary>Support has a failed job retried at our cost: whatever becomes of it, the user's balance is what it was.</summary>
public sealed record SupportRetries(string Key, string Name, string NewName) : SupportCall(Key)
{
    public override string Line => $"support retries {Name} as {NewName}, key {Key}";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        if (!world.Jobs.TryGetValue(Name, out var job) || world.Jobs.ContainsKey(NewName))
        {
            return;
        }
        var request = $"{{\"job_id\":\"{job.Id}\"" + Reason;
        var (outcome, isNew) = await CallAsync(play, "select admin_retry_job($1, $2::jsonb, 3600)::text", request);
        if (!isNew)
        {
            return;
        }
        if (job.Owner.Account.IsDeleted)
        {
            Play.Refused(outcome, "ERR_4007");
        }
        else if (job.End != "failed" || job.IsDeleted)
        {
            Play.Refused(outcome, "ERR_4012");
        }
        else if (world.Jobs.Values.Any(other => other.RetryOf is not null && other.Original == job.Original && other.End is null))
        {
            Play.Refused(outcome, "ERR_4012");
        }
        else if (job.IsImported && outcome.Error is not null)
        {
            // Its model may be gone.
            Play.Refused(outcome, "ERR_4002", "ERR_4012");
        }
        else
        {
            Play.Good(outcome);
            using var answer = System.Text.Json.JsonDocument.Parse((string)outcome.Value!);
            var made = new Job(NewName, job.Owner.Account, 0)
            {
                Id = answer.RootElement.GetProperty("job_id").GetGuid(),
                IsFreeRetry = true,
                RetryOf = job,
            };
            world.Jobs[NewName] = made;
            play.Touched.Add(made);
            Keep(play, request, outcome);
            await play.SnapshotAsync();
        }
    }
}

/// <summary>Support cancels a job: in the queue it ends at once, with its provider it is asked to stop.</summary>
public sealed record SupportCancels(string Name) : Command
{
    public override string Line => $"support cancels {Name}";

    public override async Task PlayAsync(Play play)
    {
        if (!play.World.Jobs.TryGetValue(Name, out var job))
        {
            return;
        }
        var outcome = await play.AsSupportAsync("select admin_cancel_job($1::jsonb)::text", $$"""{"job_id":"{{job.Id}}","reason":"by the model"}""");
        if (job.End is not null)
        {
            Play.Refused(outcome, "ERR_4012");
            return;
        }
        Play.Good(outcome);
        play.Touched.Add(job);
        job.IsCancelled = true;
        if (job.Stage == "queued")
        {
            World.Fail(job);
        }
    }
}

/// <summary>Support bans, or ends a ban.</summary>
public sealed record SupportBans(string Who, bool IsBan) : Command
{
    public override string Line => $"support {(IsBan ? "bans" : "unbans")} {Who}";

    public override async Task PlayAsync(Play play)
    {
        if (!play.World.People.TryGetValue(Who, out var person))
        {
            return;
        }
        var outcome = await play.AsSupportAsync(
            $"select admin_{(IsBan ? "ban" : "unban")}_user($1::jsonb)::text",
            $$"""{"user_id":"{{person.Id}}","reason":"by the model"}"""
        );
        if (person.Account.IsDeleted)
        {
            Play.Refused(outcome, "ERR_4007");
            return;
        }
        Play.Good(outcome);
        person.Account.IsBanned = IsBan;
    }
}

/// <summary>Support makes somebody premium by hand, or takes that back; what was bought stays.</summary>
public sealed record SupportSetsTier(string Who, bool IsPremium) : Command
{
    public override string Line => $"support sets {Who} to {(IsPremium ? "premium" : "free")}";

    public override async Task PlayAsync(Play play)
    {
        if (!play.World.People.TryGetValue(Who, out var person))
        {
            return;
        }
        var outcome = await play.AsSupportAsync(
            "select admin_set_tier($1::jsonb)::text",
            $$"""{"user_id":"{{person.Id}}","tier":"{{(IsPremium ? "premium" : "free")}}","reason":"by the model"}"""
        );
        if (person.Account.IsDeleted)
        {
            Play.Refused(outcome, "ERR_4007");
            return;
        }
        Play.Good(outcome);
        person.Account.IsPremiumByHand = IsPremium;
    }
}

/// <summary>The two functions of the contract, as the operator calls them: a transaction id counts once, and amounts are positive.</summary>
public sealed record OperatorMoves(string Who, int Amount, bool IsDeduction, string? Transaction) : Command
{
    public override string Line =>
        IsDeduction
            ? $"deduct_credits takes {Amount} from {Who}"
            : $"add_credits gives {Who} {Amount}{(Transaction is null ? "" : ", transaction " + Transaction)}";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        if (!world.People.TryGetValue(Who, out var person))
        {
            return;
        }
        var transaction = Transaction is null ? null : $"{world.Prefix}-{Transaction}";
        var outcome = Play.Good(
            IsDeduction
                ? await play.CallAsync(Actor.Owner, "select deduct_credits($1, $2, 'admin_adjustment') ->> 'error'", person.Id, Amount)
                : await play.CallAsync(Actor.Owner, "select add_credits($1, $2, 'admin_adjustment', $3::text) ->> 'error'", person.Id, Amount, transaction)
        );
        var account = person.Account;
        var right =
            Amount <= 0 ? "Amount must be positive"
            : account.IsDeleted ? "User not found"
            : IsDeduction && account.Balance < Amount ? "Insufficient credits"
            : !IsDeduction && transaction is not null && !world.Transactions.Add(transaction) ? "Transaction already processed"
            : null;
        Play.Expect(outcome.Value as string == right, $"answered {outcome.Value ?? "success"} where {right ?? "success"} is right");
        if (right is null)
        {
            account.Balance += IsDeduction ? -Amount : Amount;
            account.Total += IsDeduction ? 0 : Amount;
        }
    }
}
