using System.Text;
using System.Text.RegularExpressions;
using Reelbase.Tests.Campaigns.Economy.Mutations;

namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>A history that went wrong, and what went wrong at its last step.</summary>
public sealed partial record Failure(int Seed, IReadOnlyList<Command> Commands, string What)
{
    private const int MaxBrief = 110;

    /// <summary>What was noticed, in one line.</summary>
    public string Brief
    {
        get
        {
            var line = Ids().Replace(What.Split('\n')[0], "#").Replace("|", "/", StringComparison.Ordinal);
            return line.Length > MaxBrief ? line[..MaxBrief] + "..." : line;
        }
    }

    /// <summary>A script that a person can read.</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"seed {Seed}, {Commands.Count} steps\n");
        for (var number = 0; number < Commands.Count; number++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  {number + 1, 2}. {Commands[number].Line}\n");
        }
        return text.Append("  => ").Append(What).ToString();
    }

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")]
    private static partial Regex Ids();
}

/// <summary>Plays one history, drawn or given, and shrinks one that fails.</summary>
public static class History
{
    private const int MaxShrinkRuns = 400;

    /// <summary>Draws and plays a history; null when the code did all that the model says.</summary>
    public static async Task<Failure?> DrawAsync(EconomyDatabase database, int seed, Parts parts, Action<int>? counted = null)
    {
        var random = new Random(seed);
        var generator = new Generator(random, parts);
        var length = random.Next(12, 31);
        var played = new List<Command>();
        var play = new Play(new(), database);
        try
        {
            foreach (var command in generator.Arrivals())
            {
                await StepAsync(play, command, played);
            }
            while (played.Count < length)
            {
                await StepAsync(play, generator.Next(play.World), played);
            }
            foreach (var command in Ending.Of(play.World))
            {
                await StepAsync(play, command, played);
            }
            await Ending.CheckAsync(play);
            await database.RestAsync(play.World);
            counted?.Invoke(played.Count);
            return null;
        }
        catch (EconomyException error)
        {
            return new(seed, played, error.Message);
        }
    }

    /// <summary>Plays a given history in a database that nobody else uses; the failure it ends with, if any.</summary>
    public static async Task<Failure?> ReplayAsync(EconomyDatabase database, int seed, IReadOnlyList<Command> commands)
    {
        await database.EmptyAsync();
        var played = new List<Command>();
        var play = new Play(new(), database);
        try
        {
            foreach (var command in commands)
            {
                await StepAsync(play, command, played);
            }
            return null;
        }
        catch (EconomyException error)
        {
            return new(seed, played, error.Message);
        }
    }

    /// <summary>
    /// Leaves out steps, by halves and then one by one, as long as it still fails (delta debugging of our own: CsCheck shrinks the draws that a value
    /// came from, and here the next draw depends on what the database answered).
    /// </summary>
    public static async Task<Failure> ShrinkAsync(Failure failure, Mutation? mutation)
    {
        await using var database = await EconomyDatabase.CreateAsync(mutation);
        var runs = 0;
        var best = await ReplayAsync(database, failure.Seed, failure.Commands) ?? failure with { What = failure.What + " (not when played again alone)" };
        for (var size = best.Commands.Count / 2; size >= 1 && runs < MaxShrinkRuns; )
        {
            var isShorter = false;
            for (var at = best.Commands.Count - size; at >= 0 && runs < MaxShrinkRuns; at -= size)
            {
                var rest = best.Commands.Where((_, index) => index < at || index >= at + size).ToList();
                runs++;
                if (await ReplayAsync(database, failure.Seed, rest) is { } shorter)
                {
                    best = shorter;
                    isShorter = true;
                    at = Math.Min(at, best.Commands.Count);
                }
            }
            size = isShorter && size == 1 ? 1 : size / 2;
        }
        return best;
    }

    private static async Task StepAsync(Play play, Command command, List<Command> played)
    {
        played.Add(command);
        play.Begin();
        await command.PlayAsync(play);
        if (play.Snapshot is not null)
        {
            Checker.Compare(play);
        }
        play.World.Steps++;
    }
}
