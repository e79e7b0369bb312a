using System.Globalization;

namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>Compares what is seen of the economy with the model, and with what holds whatever the model says.</summary>
public static class Checker
{
    public static void Compare(Play play)
    {
        var (world, snapshot) = (play.World, play.Snapshot!);
        Ledger(world, snapshot);
        People(world, snapshot);
        Jobs(play, snapshot);
        Sales(world, snapshot);
        Grants(world, snapshot);
    }

    /// <summary>New rows continue their chain, merges have two sides, and nothing is left out: all is said by the rows themselves.</summary>
    private static void Ledger(World world, Snapshot snapshot)
    {
        var (merged, merges) = (0, 0);
        foreach (var line in Snapshot.Lines(snapshot.Ledger))
        {
            var (user, change, reason, balance) = (Guid.Parse(line[1]), Number(line[2]), line[3], Number(line[5]));
            var before = world.LastBalances.GetValueOrDefault(user);
            Play.Expect(balance == before + change, $"the ledger of {Name(world, user)} goes from {before} by {change} to {balance} ({reason})");
            world.LastBalances[user] = balance;
            world.LedgerSums[user] = world.LedgerSums.GetValueOrDefault(user) + change;
            world.LastSeq = Math.Max(world.LastSeq, long.Parse(line[0], CultureInfo.InvariantCulture));
            if (reason == "merge")
            {
                (merged, merges) = (merged + change, merges + 1);
            }
            if (line[4].Length > 0 && world.Jobs.Values.FirstOrDefault(job => job.Id.ToString() == line[4]) is { } job)
            {
                job.LedgerSum += change;
                Play.Expect(reason is "video_generation" || change > 0, $"{job.Label} was charged {change} as {reason}");
            }
        }
        Play.Expect(merged == 0 && merges % 2 == 0, $"a merge has one side: {merges} rows add up to {merged}");
    }

    private static void People(World world, Snapshot snapshot)
    {
        var rows = Snapshot.Lines(snapshot.Users).ToDictionary(line => Guid.Parse(line[0]));
        foreach (var person in world.People.Values)
        {
            Play.Expect(rows.TryGetValue(person.Id, out var row), $"{person.Label} is gone");
            Same(person.Label, "balance", person.Balance, Number(row![1]));
            Same(person.Label, "sum of the ledger", person.Balance, world.LedgerSums.GetValueOrDefault(person.Id));
            Same(person.Label, "lifetime credits", person.Total, Number(row[2]));
            if (person.MergedInto is null)
            {
                Same(person.Label, "tier", world.TierOf(person), row[3]);
            }
            Same(person.Label, "ban", person.IsBanned, row[4] == "t");
            Same(person.Label, "deletion", person.IsDeleted, row[5] == "t");
            Same(person.Label, "merge", person.MergedInto?.Id.ToString() ?? "", row[6]);
            Same(person.Label, "claimed grant", person.GrantClaimed, row[7] == "t");
        }
    }

    private static void Jobs(Play play, Snapshot snapshot)
    {
        var world = play.World;
        var rows = Snapshot.Lines(snapshot.Jobs).ToDictionary(line => Guid.Parse(line[0]));
        Same("everybody", "number of jobs", world.Jobs.Count, rows.Count);
        foreach (var job in world.Jobs.Values)
        {
            Play.Expect(rows.TryGetValue(job.Id, out var row), $"{job.Label} is gone");
            Same(job.Label, "owner", job.Owner.Account.Id.ToString(), row![1]);
            var status = row[2] is "pending" or "processing" ? null : row[2];
            Same(job.Label, "end", job.End ?? "open", status ?? "open");
            Same(job.Label, "deletion", job.IsDeleted, row[6] == "t");
            if (!play.Touched.Contains(job))
            {
                Same(job.Label, "stage (nothing was done with it)", job.Stage, row[3]);
                Same(job.Label, "attempt (nothing was done with it)", job.Attempt, Number(row[4]));
                Same(job.Label, "lease (nothing was done with it)", job.LeasedBy, row[5]);
            }
            (job.Stage, job.Attempt, job.LeasedBy) = (row[3], Number(row[4]), row[5]);
            if (!job.IsImported)
            {
                Play.Expect(-Number(row[7]) <= job.LedgerSum && job.LedgerSum <= 0, $"the ledger rows of {job.Label} add up to {job.LedgerSum}");
                Same(job.Label, "sum of its ledger rows", -job.Rest, job.LedgerSum);
            }
            if (row[8].Length > 0)
            {
                Same(job.Label, "what it took, less what it gave back", job.Rest, Number(row[8]) - Number(row[9]));
                Play.Expect(Number(row[9]) >= 0 && Number(row[9]) <= Number(row[8]), $"{job.Label} took {row[8]} and gave back {row[9]}");
            }
        }
    }

    private static void Sales(World world, Snapshot snapshot)
    {
        var rows = Snapshot.Lines(snapshot.Purchases).ToDictionary(line => line[1]);
        foreach (var sale in world.Sales.Values)
        {
            if (!sale.IsKnown)
            {
                Play.Expect(!rows.ContainsKey(sale.TransactionId), $"{sale.Label} is recorded before anybody heard of it");
                continue;
            }
            Play.Expect(rows.TryGetValue(sale.TransactionId, out var row), $"{sale.Label} is not recorded");
            Same(sale.Label, "owner", sale.Owner?.Account.Id.ToString() ?? "", row![2]);
            Same(sale.Label, "crediting", sale.IsCredited, row[4] == "t");
            if (sale.IsCredited)
            {
                Same(sale.Label, "credits", sale.Credits, Number(row[3]));
            }
            Same(sale.Label, "credits taken back", sale.TakenBack, Number(row[5]));
            Same(sale.Label, "share that is refunded", sale.Revoked, Number(row[6]));
        }
    }

    /// <summary>One free grant for each physical phone, whoever was frozen when.</summary>
    private static void Grants(World world, Snapshot snapshot)
    {
        foreach (var line in Snapshot.Lines(snapshot.Grants))
        {
            world.GrantUsers[Guid.Parse(line[0])] = Guid.Parse(line[1]);
        }
        foreach (var (phone, grants) in world.GrantsOfPhones)
        {
            Play.Expect(grants <= 1, $"phone {phone} got {grants} free grants");
        }
    }

    private static string Name(World world, Guid user) => world.Find(user)?.Label ?? user.ToString();

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static void Same<T>(string whose, string what, T right, T found)
        where T : IEquatable<T>
    {
        if (!right.Equals(found))
        {
            throw new EconomyException($"{whose}: {what} is {found} where {right} is right");
        }
    }
}
