namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>A phone comes for the first time or again: a guest, and the grant that is still to be decided.</summary>
public sealed record Onboard(string Who, string Device, string Phone) : Command
{
    public override string Line => $"{Who} opens the app under device id {Device} on phone {Phone}";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        var device = World.IdOf(world.Prefix + Device).ToString();
        var outcome = await play.AsApiAsync(
            """
            select user_id, grant_id, refusal
            from open_device($1, true, $2, '192.0.2.2'::inet, null, 3600, '{"throttle_score":101,"block_score":101,"throttle_seconds":60}'::jsonb)
            """,
            device,
            "token-of-" + Phone
        );
        if (outcome.Error is not null)
        {
            Play.Good(outcome);
        }
        var row = outcome.Rows[0];
        if (row[2] is not null || row[0] is not Guid id)
        {
            Play.Expect(row[0] is null, $"a refused device got user {row[0]}");
            return;
        }
        if (world.Find(id) is not { } person)
        {
            if (world.People.ContainsKey(Who))
            {
                // The name is taken, and the guest stays without one: not of this history any more.
                return;
            }
            person = new Person(Who)
            {
                Id = id,
                DeviceId = device,
                HasSession = false,
            };
            world.People[Who] = person;
            world.Forget();
        }
        if (!person.HasSession)
        {
            person.Session = Guid.NewGuid();
            Play.Good(
                await play.AsApiAsync(
                    "select user_id from start_session($1, $2, 'anonymous', sha256($3))",
                    person.Id,
                    person.Session,
                    person.Session.ToByteArray()
                )
            );
            person.HasSession = true;
        }
        person.Phone = Phone;
        if (row[1] is Guid grant)
        {
            world.Phones[grant] = Phone;
        }
        await play.SnapshotAsync();
    }
}

/// <summary>A process takes the installation's one turn to decide a grant.</summary>
public sealed record TakeGrantTurn(string Name) : Command
{
    public override string Line => $"a process takes the turn for a grant: {Name}";

    public override async Task PlayAsync(Play play)
    {
        var world = play.World;
        if (world.Turns.ContainsKey(Name))
        {
            return;
        }
        var turn = new GrantTurn(Name, $"grant/{Guid.NewGuid():N}");
        var outcome = Play.Good(await play.AsWorkerAsync("select id, stage from claim_device_grant($1, 600)", turn.Token));
        if (outcome.Rows.Count == 0)
        {
            return;
        }
        Play.Expect(!world.IsGrantTurnTaken, "the turn was given away while somebody holds it");
        (turn.GrantId, turn.Stage) = ((Guid)outcome.Rows[0][0]!, (string)outcome.Rows[0][1]!);
        world.Turns[Name] = turn;
        world.TurnHolder = turn;
        world.IsGrantTurnTaken = true;
    }
}

/// <summary>A process asks Apple for the phone's bits; what it hears it may record much later.</summary>
public sealed record AskApple(string Name) : Command
{
    public override string Line => $"{Name} asks Apple";

    public override Task PlayAsync(Play play)
    {
        if (play.World.Turns.TryGetValue(Name, out var turn) && play.World.Phones.TryGetValue(turn.GrantId, out var phone))
        {
            turn.Heard = play.World.MarkedPhones.Contains(phone);
        }
        return Task.CompletedTask;
    }
}

/// <summary>A step that a process records for its turn: nothing, when it has lost the turn.</summary>
public abstract record GrantStep(string Name) : Command
{
    public sealed override async Task PlayAsync(Play play)
    {
        if (play.World.Turns.TryGetValue(Name, out var turn))
        {
            await StepAsync(play, turn, play.World.TurnHolder == turn);
        }
    }

    protected abstract Task StepAsync(Play play, GrantTurn turn, bool holds);

    protected static void End(World world) => (world.TurnHolder, world.IsGrantTurnTaken) = (null, false);
}

public sealed record RecordAppleAnswer(string Name) : GrantStep(Name)
{
    public override string Line => $"{Name} records what Apple said";

    protected override async Task StepAsync(Play play, GrantTurn turn, bool holds)
    {
        if (turn.Heard is not { } bit)
        {
            return;
        }
        var outcome = Play.Good(await play.AsWorkerAsync("select record_device_answer($1, $2, $3, false)", turn.GrantId, turn.Token, bit));
        Play.Expect(holds || outcome.Value is null, $"an answer was recorded after the turn was lost: {outcome.Value}");
        turn.Stage = outcome.Value as string ?? "lost";
        // Also when there is nothing to record it on any more: nobody waits for a turn that came to nothing.
        if (holds && turn.Stage != "queried")
        {
            End(play.World);
        }
    }
}

public sealed record SetBit(string Name) : GrantStep(Name)
{
    public override string Line => $"{Name} has Apple set the bit";

    protected override async Task StepAsync(Play play, GrantTurn turn, bool holds)
    {
        if (turn.Stage != "queried" || !play.World.Phones.TryGetValue(turn.GrantId, out var phone))
        {
            return;
        }
        play.World.MarkedPhones.Add(phone);
        var outcome = Play.Good(await play.AsWorkerAsync("select record_device_bit_set($1, $2)", turn.GrantId, turn.Token));
        Play.Expect(holds || outcome.Value is not true, "a bit was recorded after the turn was lost");
        if (holds && outcome.Value is not true)
        {
            End(play.World);
        }
        turn.Stage = "bit_set";
    }
}

public sealed record GiveGrant(string Name) : GrantStep(Name)
{
    private const int Credits = 10;

    public override string Line => $"{Name} grants the free credits";

    protected override async Task StepAsync(Play play, GrantTurn turn, bool holds)
    {
        var world = play.World;
        if (turn.Stage != "bit_set")
        {
            return;
        }
        var outcome = Play.Good(await play.AsWorkerAsync("select grant_initial_credits($1, $2, $3)", turn.GrantId, turn.Token, Credits));
        Play.Expect(holds || outcome.Value is not true, "credits were granted after the turn was lost");
        if (holds)
        {
            End(world);
        }
        if (outcome.Value is not true)
        {
            return;
        }
        turn.Stage = "granted";
        var person = world.PersonOfGrant(turn.GrantId)?.Account;
        if (person is { GrantClaimed: false, IsDeleted: false })
        {
            person.GrantClaimed = true;
            person.Balance += Credits;
            person.Total += Credits;
            var phone = world.Phones[turn.GrantId];
            world.GrantsOfPhones[phone] = world.GrantsOfPhones.GetValueOrDefault(phone) + 1;
        }
    }
}

public sealed record RejectGrant(string Name) : GrantStep(Name)
{
    public override string Line => $"{Name} says that Apple refuses the token";

    protected override async Task StepAsync(Play play, GrantTurn turn, bool holds)
    {
        if (turn.Stage != "requested")
        {
            return;
        }
        var outcome = Play.Good(await play.AsWorkerAsync("select reject_device_grant($1, $2)", turn.GrantId, turn.Token));
        Play.Expect(holds || outcome.Value is not true, "a grant was rejected after the turn was lost");
        if (holds)
        {
            End(play.World);
            turn.Stage = "rejected";
        }
    }
}

public sealed record PostponeGrant(string Name) : GrantStep(Name)
{
    public override string Line => $"{Name} puts the grant off";

    protected override async Task StepAsync(Play play, GrantTurn turn, bool holds)
    {
        Play.Good(await play.AsWorkerAsync("select postpone_device_grant($1, $2, 'away', 0, 8)", turn.GrantId, turn.Token));
        if (holds)
        {
            End(play.World);
            turn.Stage = "lost";
        }
    }
}

/// <summary>Whoever holds the turn is frozen: it runs out.</summary>
public sealed record GrantTurnExpires : Command
{
    public override string Line => "the turn for grants runs out";

    public override async Task PlayAsync(Play play)
    {
        (play.World.TurnHolder, play.World.IsGrantTurnTaken) = (null, false);
        await play.AsOwnerAsync("update installation_leases set lease_until = clock_timestamp() - interval '1 second' where lease_until is not null");
        await play.AsOwnerAsync(
            "update device_grants set run_after = clock_timestamp(), lease_until = case when lease_until is not null then clock_timestamp() - interval '1 second' end where decided_at is null"
        );
    }
}
