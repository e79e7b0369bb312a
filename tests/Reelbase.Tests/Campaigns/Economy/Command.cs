namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>The model and the code disagree.</summary>
public sealed class EconomyException(string message) : Exception(message);

/// <summary>One step of a history. It names what it is about by label, so that it can be played again in a shorter history; what is not there any more is passed over.</summary>
public abstract record Command
{
    /// <summary>The step as a line of a script.</summary>
    public abstract string Line { get; }

    /// <summary>Does it, and brings the model to what is right.</summary>
    public abstract Task PlayAsync(Play play);
}

/// <summary>What a command works with.</summary>
public sealed class Play(World world, EconomyDatabase database)
{
    public World World { get; } = world;
    public EconomyDatabase Database { get; } = database;

    /// <summary>The economy after the last call; null when nothing was called.</summary>
    public Snapshot? Snapshot { get; private set; }

    /// <summary>Jobs whose work this command may change.</summary>
    public HashSet<Job> Touched { get; } = [];

    public void Begin()
    {
        Snapshot = null;
        Touched.Clear();
    }

    public async Task<Outcome> CallAsync(Actor actor, string sql, params object?[] args)
    {
        var outcome = await Database.CallAsync(actor, World, sql, args);
        Snapshot = outcome.Snapshot;
        return outcome;
    }

    public Task<Outcome> AsWorkerAsync(string sql, params object?[] args) => CallAsync(Actor.Worker, sql, args);

    public Task<Outcome> AsApiAsync(string sql, params object?[] args) => CallAsync(Actor.Api, sql, args);

    public Task<Outcome> AsSupportAsync(string sql, params object?[] args) => CallAsync(Database.Support, sql, args);

    public Task<Outcome> AsAsync(Person person, string sql, params object?[] args) => CallAsync(Actor.Caller(person.Id, person.Session), sql, args);

    /// <summary>Behind the scenes: clocks, and what was there before.</summary>
    public async Task AsOwnerAsync(string sql, params object?[] args) => Good(await CallAsync(Actor.Owner, sql, args));

    /// <summary>Reads the tables again: what a call made was not asked for yet.</summary>
    public async Task SnapshotAsync() => Snapshot = await Database.SnapshotAsync(World);

    /// <summary>A call that has to succeed.</summary>
    public static Outcome Good(Outcome outcome) =>
        outcome.Error is null ? outcome : throw new EconomyException($"failed with {outcome.Error}: {outcome.Detail}");

    /// <summary>A call that has to be refused, with an answer of the catalogue and not with an accident.</summary>
    public static void Refused(Outcome outcome, params string[] codes)
    {
        if (outcome.Error is null)
        {
            throw new EconomyException($"was accepted where {string.Join(" or ", codes)} is right");
        }
        if (!codes.Contains(outcome.Error))
        {
            throw new EconomyException($"was refused with {outcome.Error} where {string.Join(" or ", codes)} is right: {outcome.Detail}");
        }
    }

    public static void Expect(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            throw new EconomyException(otherwise);
        }
    }

    /// <summary>How a job's work stands after the last call: status, stage, attempt and lease.</summary>
    public (string Status, string Stage, int Attempt, string LeasedBy) After(Job job)
    {
        foreach (var line in Economy.Snapshot.Lines(Snapshot!.Jobs))
        {
            if (line[0] == job.Id.ToString())
            {
                return (line[2], line[3], int.Parse(line[4], System.Globalization.CultureInfo.InvariantCulture), line[5]);
            }
        }
        throw new EconomyException($"{job.Label} is gone");
    }
}
