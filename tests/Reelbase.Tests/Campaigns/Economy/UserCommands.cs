using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>Who is there when a history begins: guests and members with sessions and credits that support gave.</summary>
public sealed record Arrive(string Who, bool IsGuest, int Credits) : Command
{
    public override string Line => $"{Who} is there, a {(IsGuest ? "guest" : "member")} with {Credits} credits";

    public override async Task PlayAsync(Play play)
    {
        var person = new Person(Who)
        {
            IsGuest = IsGuest,
            Balance = Credits,
            Total = Credits,
        };
        person.AppleSub = IsGuest ? null : $"apple-{person.Id:N}";
        play.World.People[Who] = person;
        play.World.Forget();
        await play.AsOwnerAsync(
            """
            with made as (
              insert into users (id, device_id, apple_sub, is_guest) values ($1, $2, $3::text, $4) returning id),
            opened as (insert into sessions (id, user_id) select $5, id from made returning user_id)
            select 1 from opened
            """,
            person.Id,
            person.DeviceId,
            person.AppleSub,
            IsGuest,
            person.Session
        );
        if (Credits > 0)
        {
            await play.AsOwnerAsync("select write_ledger($1, $2, 'admin_adjustment')", person.Id, Credits);
        }
    }
}

/// <summary>A press on "generate": with a new key or with one that was used before.</summary>
public sealed record PressGenerate(string Name, string Who, string Key, int Seconds, string Prompt) : Command
{
    public override string Line => $"{Who} presses for {Name}: {Seconds} credits, key {Key}, prompt \"{Prompt}\"";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        if (!world.People.TryGetValue(Who, out var person) || world.Jobs.ContainsKey(Name))
        {
            return;
        }
        var body = $$"""{"model_id":"{{Catalog.FastModel}}","prompt":"{{Prompt}}","settings":{"duration":{{Seconds}}} }""";
        var account = person.Account;
        var key = World.IdOf(world.Prefix + Key);
        var outcome = await play.AsAsync(person, "select job_id, replayed from generate_video($1, $2::jsonb, '192.0.2.1'::inet, '{}'::jsonb, 3600)", key, body);
        if (Access(account, person) is { } refusal)
        {
            Play.Refused(outcome, refusal);
            return;
        }
        if (world.Presses.TryGetValue((account.Id, Key), out var press))
        {
            if (press.Body != body)
            {
                Play.Refused(outcome, "ERR_4009");
                return;
            }
            Play.Expect(
                Play.Good(outcome).Rows[0][1] is true && Equals(outcome.Rows[0][0], press.Job.Id),
                $"the repeated key did not answer {press.Job.Label}"
            );
            return;
        }
        if (account.Balance < Seconds)
        {
            Play.Refused(outcome, "ERR_4001");
            return;
        }
        Play.Expect(Play.Good(outcome).Rows[0][1] is false, "a new key answered as a repeated one");
        account.Balance -= Seconds;
        var job = new Job(Name, account, Seconds) { Id = (Guid)outcome.Rows[0][0]! };
        world.Jobs[Name] = job;
        world.Presses[(account.Id, Key)] = new(body, job, Seconds, Prompt);
        play.Touched.Add(job);
    }

    /// <summary>The code with which a user's calls are refused, or null.</summary>
    public static string? Access(Person account, Person person) =>
        account.IsDeleted ? "ERR_4005"
        : account.IsBanned ? "ERR_4006"
        : !person.HasSession ? "ERR_4005"
        : null;
}

/// <summary>A user deletes a job, theirs or another's.</summary>
public sealed record DeleteJob(string Who, string Name) : Command
{
    public override string Line => $"{Who} deletes {Name}";

    public override async Task PlayAsync(Play play)
    {
        if (!play.World.People.TryGetValue(Who, out var person) || !play.World.Jobs.TryGetValue(Name, out var job))
        {
            return;
        }
        var outcome = await play.AsAsync(person, "select delete_video_job($1)", job.Id);
        if (PressGenerate.Access(person.Account, person) is { } refusal)
        {
            Play.Refused(outcome, refusal);
        }
        else if (job.Owner.Account != person.Account)
        {
            Play.Refused(outcome, "ERR_4007");
        }
        else
        {
            Play.Good(outcome);
            Erase(play, job);
        }
    }

    /// <summary>What deleting means for a job, whoever asks: in the queue it is cancelled and refunded, with its provider it goes on unseen.</summary>
    public static void Erase(Play play, Job job)
    {
        if (job.IsDeleted)
        {
            return;
        }
        job.IsDeleted = true;
        play.Touched.Add(job);
        if (job.Stage == "queued")
        {
            World.Fail(job);
        }
    }
}

/// <summary>A user leaves.</summary>
public sealed record DeleteAccount(string Who) : Command
{
    public override string Line => $"{Who} deletes the account";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        if (!world.People.TryGetValue(Who, out var person))
        {
            return;
        }
        var account = person.Account;
        var outcome = await play.AsAsync(person, "select delete_account()::text");
        if (PressGenerate.Access(account, person) is { } refusal)
        {
            Play.Refused(outcome, refusal);
            return;
        }
        Play.Good(outcome);
        foreach (var job in world.Jobs.Values.Where(job => job.Owner.Account == account))
        {
            DeleteJob.Erase(play, job);
        }
        foreach (var part in world.People.Values.Where(part => part.Account == account))
        {
            (part.IsDeleted, part.HasSession, part.FrozenTier, part.AppleSub) = (true, false, "free", null);
        }
        foreach (var key in world.Presses.Keys.Where(key => key.Account == account.Id).ToList())
        {
            world.Presses.Remove(key);
        }
    }
}

/// <summary>A guest signs in with a member's Apple account: the two become one.</summary>
public sealed record Merge(string Guest, string Member) : Command
{
    public override string Line => $"{Guest} signs in as {Member}: the two are merged";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        if (!world.People.TryGetValue(Guest, out var guest) || !world.People.TryGetValue(Member, out var member) || member.AppleSub is not { } sub)
        {
            return;
        }
        var outcome = await play.AsAsync(guest, "select outcome from link_apple_identity($1, null, true)", sub);
        if (PressGenerate.Access(guest.Account, guest) is { } refusal)
        {
            Play.Refused(outcome, refusal);
        }
        else if (guest.Account == member)
        {
            Play.Expect(Play.Good(outcome).Value is "already", "joining twice is joining once");
        }
        else if (!guest.Account.IsGuest)
        {
            Play.Refused(outcome, "ERR_4012");
        }
        else if (member.IsBanned)
        {
            Play.Refused(outcome, "ERR_4006");
        }
        else
        {
            Play.Expect(Play.Good(outcome).Value is "merged", $"answered {outcome.Value} where merged is right");
            Move(world, guest, member);
            foreach (var job in world.Jobs.Values.Where(job => job.Owner.Account == member))
            {
                play.Touched.Add(job);
            }
        }
    }

    private static void Move(World world, Person guest, Person member)
    {
        guest.FrozenTier = world.TierOf(guest);
        member.Balance += guest.Balance;
        member.Total += guest.Total;
        member.GrantClaimed |= guest.GrantClaimed;
        member.IsPremiumByHand |= guest.IsPremiumByHand;
        guest.Balance = 0;
        guest.MergedInto = member;
        foreach (var job in world.Jobs.Values.Where(job => job.Owner == guest))
        {
            job.Owner = member;
        }
        foreach (var sale in world.Sales.Values.Where(sale => sale.Owner == guest))
        {
            sale.Owner = member;
        }
        foreach (var ((account, key), press) in world.Presses.Where(press => press.Key.Account == guest.Id).ToList())
        {
            if (world.Presses.TryAdd((member.Id, key), press))
            {
                world.Presses.Remove((account, key));
            }
        }
    }
}

/// <summary>A day passes for what a user's keys stand for.</summary>
public sealed record KeysExpire(string Who) : Command
{
    public override string Line => $"a day passes for the keys of {Who}";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        if (!world.People.TryGetValue(Who, out var person))
        {
            return;
        }
        await play.AsOwnerAsync("update idempotency_log set expires_at = clock_timestamp() - interval '1 minute' where user_id = $1", person.Account.Id);
        foreach (var key in world.Presses.Keys.Where(key => key.Account == person.Account.Id).ToList())
        {
            world.Presses.Remove(key);
        }
    }
}
