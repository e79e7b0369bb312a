namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>Every history comes to rest: whatever was done, each job can be ended by a worker, and nothing is left behind that would stop anybody else.</summary>
public static class Ending
{
    public static IEnumerable<Command> Of(World world)
    {
        // The jobs' stages change while these are played, so they are drawn one by one.
        foreach (var job in world.Jobs.Values.Where(job => job.End is null).ToList())
        {
            yield return new DeadlinePasses(job.Label);
            if (job.LeasedBy.Length > 0)
            {
                yield return new LeaseExpires(job.Label);
            }
        }
        if (world.Jobs.Values.Any(job => job.End is null))
        {
            var claim = "C" + (world.Claims.Count + 1);
            yield return new ClaimWork(claim);
            foreach (var job in world.Jobs.Values.Where(job => job.End is null).ToList())
            {
                yield return new WorkerFails(job.Label, claim);
            }
        }
    }

    public static async Task CheckAsync(Play play)
    {
        foreach (var job in play.World.Jobs.Values)
        {
            Play.Expect(job.End is not null, $"{job.Label} never ends: a worker that asks for what is past its deadline does not get it");
        }
        // What a call of the product would find: the whole ledger once more, by the verifier itself.
        Play.Expect(
            play.World.Steps % 16 != 0 || await play.Database.ScalarAsync<long>("select count(*) from check_ledger()") == 0,
            "check_ledger() finds a ledger that does not add up"
        );
    }
}
