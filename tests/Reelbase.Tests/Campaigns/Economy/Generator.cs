namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>What a history may be about.</summary>
[Flags]
public enum Parts
{
    Work = 1,
    Support = 2,
    Sales = 4,
    Grants = 8,
    All = Work | Support | Sales | Grants,
}

/// <summary>Draws the next step from what there is: mostly what moves a job on, and often what nobody expects.</summary>
public sealed class Generator(Random random, Parts parts)
{
    // What a history is about: all of it, or mostly one part.
    private readonly int _theme = random.Next(4);
    private const int HolderShare = 30;
    private static readonly string[] Stages = ["queued", "submitting", "ambiguous", "submitted", "fetching"];
    private int _keys;

    /// <summary>The people of a new history.</summary>
    public IEnumerable<Command> Arrivals()
    {
        yield return new Arrive("Ada", IsGuest: true, 5 * random.Next(0, 6));
        yield return new Arrive("Bob", IsGuest: random.Next(2) == 0, 10);
        yield return new Arrive("Mia", IsGuest: false, 10 * random.Next(0, 4));
        if (random.Next(5) == 0)
        {
            var kinds = ArriveImported.Kinds.Keys.ToList();
            yield return new ArriveImported(
                "Old",
                "J1",
                kinds[random.Next(kinds.Count)],
                parts.HasFlag(Parts.Sales) && random.Next(2) == 0 ? "P1" : null,
                random.Next(5) == 0
            );
        }
    }

    public Command Next(World world)
    {
        for (var tries = 0; ; tries++)
        {
            var command = Draw(world, isEasy: tries > 10);
            if (command is not null)
            {
                return command;
            }
        }
    }

    private Command? Draw(World world, bool isEasy)
    {
        var part = (_theme, random.Next(100)) switch
        {
            (1, < 75) => Parts.Grants,
            (2, < 65) => Parts.Sales,
            (3, < 35) => Parts.Support,
            (0, < 75) => Parts.Work,
            (_, < 10) => Parts.Sales,
            (_, < 12) => Parts.Grants,
            (_, < 30) => Parts.Support,
            _ => Parts.Work,
        };
        return part switch
        {
            Parts.Grants when parts.HasFlag(part) => Grant(world),
            Parts.Sales when parts.HasFlag(part) => Sale(world),
            Parts.Support when parts.HasFlag(part) => Support(world),
            _ when isEasy => Press(world),
            _ => random.Next(100) switch
            {
                < 55 => Advance(world),
                < 80 => Worker(world),
                _ => User(world),
            },
        };
    }

    /// <summary>What a healthy system would do next with some job.</summary>
    private Command? Advance(World world)
    {
        var open = world.Jobs.Values.Where(job => job.End is null).ToList();
        if (open.Count == 0 || random.Next(8) == 0)
        {
            return Press(world);
        }
        if (_theme == 0 && random.Next(10) < 8)
        {
            return Healthy(world, open[0]);
        }
        var job = open[random.Next(open.Count)];
        if (!job.HasLiveLease)
        {
            return (job.Stage, random.Next(4)) switch
            {
                ("submitted" or "ambiguous", 0) => new Webhook(job.Label, job.Attempt, random.Next(2) == 0, DeliveryFate.Handled),
                ("submitted", 1 or 2) => new TimePasses(job.Label),
                ("ambiguous", 1) => new DeadlinePasses(job.Label),
                _ => new ClaimWork(NewClaim(world)),
            };
        }
        var by = Holder(world, job);
        return job.Stage switch
        {
            "queued" => new BeginSubmission(job.Label, by),
            "submitting" => random.Next(4) switch
            {
                0 => new SubmissionRefused(job.Label, by, job.Attempt),
                1 => new SubmissionAmbiguous(job.Label, by),
                _ => new SubmissionAccepted(job.Label, by, job.Attempt),
            },
            "fetching" => random.Next(3) == 0 ? new AttemptFails(job.Label, by, job.Attempt, job.Stage) : new VideoStored(job.Label, by),
            _ => random.Next(4) switch
            {
                0 => new AttemptFails(job.Label, by, job.Attempt, job.Stage),
                1 => new Reschedule(job.Label, by, job.Stage),
                _ => new ResultPolled(job.Label, by, job.Attempt),
            },
        };
    }

    /// <summary>The short way to a finished video, so that there is something for late reports to be about.</summary>
    private static Command Healthy(World world, Job job) =>
        job.Stage == "submitted" ? new Webhook(job.Label, job.Attempt, IsSuccess: true, DeliveryFate.Handled)
        : !job.HasLiveLease ? new ClaimWork(NewClaim(world))
        : job.Stage switch
        {
            "queued" => new BeginSubmission(job.Label, Holder(world, job)),
            "submitting" => new SubmissionAccepted(job.Label, Holder(world, job), job.Attempt),
            "fetching" => new VideoStored(job.Label, Holder(world, job)),
            _ => new AttemptFails(job.Label, Holder(world, job), job.Attempt, job.Stage),
        };

    private Command Press(World world)
    {
        var prompt = random.Next(12) == 0 ? "A paper ship" : "A paper boat";
        var name = "J" + (world.Jobs.Count + 1);
        // A repetition mostly asks for the same again.
        if (world.Presses.Count > 0 && random.Next(6) == 0)
        {
            var ((account, key), press) = world.Presses.ElementAt(random.Next(world.Presses.Count));
            var owners = world.People.Values.Where(person => person.Account.Id == account).ToList();
            var who = owners.Count == 0 || random.Next(6) == 0 ? Somebody(world) : owners[random.Next(owners.Count)].Label;
            return new PressGenerate(name, who, key, press.Seconds, random.Next(5) == 0 ? prompt : press.Prompt);
        }
        return new PressGenerate(name, Somebody(world), "k" + _keys++, 4 + 2 * random.Next(3), prompt);
    }

    private Command? User(World world) =>
        random.Next(14) switch
        {
            < 5 => Press(world),
            < 8 when AnyJob(world) is { } job => new DeleteJob(random.Next(5) == 0 ? Somebody(world) : job.Owner.Label, job.Label),
            8 => new DeleteAccount(Somebody(world)),
            9 or 10 => new Merge(Somebody(world), Somebody(world)),
            11 => new KeysExpire(Somebody(world)),
            12 => new CleanUp(),
            _ when AnyJob(world) is { } job => new MonthPasses(job.Label),
            _ => null,
        };

    /// <summary>Reports of any claim about any job: frozen workers, lost leases, earlier attempts.</summary>
    private Command? Worker(World world)
    {
        if (AnyJob(world) is not { } job)
        {
            return null;
        }
        var claims = world.Claims.Keys.ToList();
        var by = claims.Count > 0 && random.Next(100) >= HolderShare ? claims[random.Next(claims.Count)] : Holder(world, job);
        var attempt = job.Attempt > 1 && random.Next(2) == 0 ? random.Next(1, job.Attempt + 1) : Math.Max(1, job.Attempt);
        var stage = random.Next(4) == 0 ? Stages[random.Next(Stages.Length)] : job.Stage;
        return random.Next(20) switch
        {
            0 => new BeginSubmission(job.Label, by),
            1 => new SubmissionAccepted(job.Label, by, attempt),
            2 => new SubmissionRefused(job.Label, by, attempt),
            3 => new SubmissionAmbiguous(job.Label, by),
            4 => new SubmissionRejected(job.Label, by, attempt),
            5 or 6 => new ResultPolled(job.Label, by, attempt),
            7 => new VideoStored(job.Label, by),
            8 => new WorkerFails(job.Label, by),
            9 or 10 => new AttemptFails(job.Label, by, attempt, stage),
            11 => new Reschedule(job.Label, by, stage),
            12 => new RenewLease(job.Label, by),
            13 => new GiveUp(job.Label, by),
            14 or 15 => new LeaseExpires(job.Label),
            16 => new DeadlinePasses(job.Label),
            17 => new ClaimWork(NewClaim(world)),
            _ => new Webhook(job.Label, attempt, random.Next(2) == 0, (DeliveryFate)random.Next(3)),
        };
    }

    private Command? Support(World world)
    {
        var key = _keys > 0 && random.Next(8) == 0 ? "k" + random.Next(_keys) : "k" + _keys++;
        var job = AnyJob(world);
        return random.Next(14) switch
        {
            < 4 when job is not null => new SupportRefunds(
                key,
                random.Next(8) == 0 ? Somebody(world) : job.Owner.Label,
                random.Next(3) == 0 ? random.Next(1, 9) : Math.Max(1, job.Rest),
                job.Label
            ),
            4 => new SupportRefunds(key, Somebody(world), random.Next(1, 9), null),
            5 => new SupportAdjusts(key, Somebody(world), random.Next(2) == 0 ? random.Next(1, 20) : -random.Next(1, 20)),
            6 or 7 when job is not null => new SupportRetries(key, job.Label, "J" + (world.Jobs.Count + 1)),
            8 or 9 when job is not null => new SupportCancels(job.Label),
            10 => new SupportBans(Somebody(world), random.Next(2) == 0),
            11 => new SupportSetsTier(Somebody(world), random.Next(2) == 0),
            12 or 13 => new OperatorMoves(Somebody(world), random.Next(-3, 9), random.Next(2) == 0, random.Next(2) == 0 ? "tx" + random.Next(3) : null),
            _ => null,
        };
    }

    private Command? Sale(World world)
    {
        var number = random.Next(12);
        if (world.Sales.Count == 0 || number < 2)
        {
            var who = Somebody(world);
            return new Buy(
                "P" + (world.Sales.Count + 1),
                who,
                random.Next(6) switch
                {
                    0 => "premium.100",
                    1 => "ghost.40",
                    _ => "com.rendioai.credits.starter.25",
                },
                random.Next(5) == 0 ? 3 : 1,
                random.Next(5) switch
                {
                    0 => null,
                    1 => Buy.Nobody,
                    2 => Somebody(world),
                    _ => who,
                }
            );
        }
        var sale = world.Sales.Values.ElementAt(random.Next(world.Sales.Count));
        return number switch
        {
            2 => new AppleDecides(
                sale.Label,
                random.Next(3) == 0 ? 0
                    : random.Next(2) == 0 ? 100
                    : random.Next(1, 100)
            ),
            3 => new SupportSavesProduct("ghost.40", 40),
            4 => new SupportAssigns(sale.Label, Somebody(world)),
            _ => Notify(world, sale),
        };
    }

    private AppleNotifies Notify(World world, Sale sale)
    {
        var signed = random.Next(3) == 0 ? random.Next(sale.Words.Count) : sale.Words.Count - 1;
        return random.Next(4) switch
        {
            0 => new AppleNotifies(sale.Label, signed, "notification", null),
            1 => new AppleNotifies(sale.Label, signed, "reconciliation", null),
            2 => new AppleNotifies(sale.Label, signed, "app", Somebody(world)),
            _ => new AppleNotifies(sale.Label, signed, "app", sale.Buyer!.Label),
        };
    }

    /// <summary>Phones and the one turn to decide their grants: processes of which each may be frozen between any two of its steps.</summary>
    private Command Grant(World world)
    {
        if (world.Phones.Count == 0 || random.Next(7) == 0)
        {
            var number = random.Next(1, 4);
            return new Onboard("G" + (world.People.Count + 1), "device" + number, "phone" + random.Next(1, 3));
        }
        if (world.Turns.Count == 0 || random.Next(8) == 0)
        {
            return random.Next(3) == 0 ? new GrantTurnExpires() : new TakeGrantTurn("T" + (world.Turns.Count + 1));
        }
        var turn = random.Next(3) > 0 && world.TurnHolder is { } holder ? holder : world.Turns.Values.ElementAt(random.Next(world.Turns.Count));
        return (turn.Stage, random.Next(8)) switch
        {
            (_, 0) => new GrantTurnExpires(),
            (_, 1) => new PostponeGrant(turn.Label),
            ("requested", 2) => new RejectGrant(turn.Label),
            ("requested", _) => turn.Heard is null ? new AskApple(turn.Label) : new RecordAppleAnswer(turn.Label),
            ("queried", _) => new SetBit(turn.Label),
            ("bit_set", _) => new GiveGrant(turn.Label),
            _ => new TakeGrantTurn("T" + (world.Turns.Count + 1)),
        };
    }

    private string Somebody(World world) => world.People.Keys.ElementAt(random.Next(world.People.Count));

    private Job? AnyJob(World world) => world.Jobs.Count == 0 ? null : world.Jobs.Values.ElementAt(random.Next(world.Jobs.Count));

    private static string NewClaim(World world) => "C" + (world.Claims.Count + 1);

    private static string Holder(World world, Job job) => world.Claims.Values.FirstOrDefault(claim => claim.Token == job.LeasedBy)?.Label ?? "C1";
}
