using System.Diagnostics;
using System.Globalization;
using System.Text;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns.Economy.Mutations;

/// <summary>
/// Puts faults back into the SQL, one at a time, and plays histories until the model notices. A campaign tries all of them; with <c>REELBASE_RECORD=yes</c> it writes
/// the table in docs/reliability.md: <c>REELBASE_RECORD=yes ./reelbase test --campaign --filter-class '*MutationTests'</c>.
/// </summary>
[Campaign]
public sealed class MutationTests
{
    private const int MaxHistories = 4000;
    private const int ShareOfMutations = 4;

    [Fact]
    public async Task The_model_finds_every_fault_that_is_put_back()
    {
        var only = Environment.GetEnvironmentVariable("REELBASE_MUTATION");
        var mutations = MutationTable.All.Where(mutation => only is null || mutation.Fault.Contains(only, StringComparison.OrdinalIgnoreCase)).ToList();
        if (!Campaign.IsWhole && only is null)
        {
            mutations.RemoveAll(mutation => MutationTable.Slow.Contains(mutation.Fault));
            new Random(Campaign.Seed).Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(mutations));
            mutations = mutations[..ShareOfMutations];
        }
        var table = new StringBuilder("| kind | fault that was put back | found in history | shrunk to steps | noticed as |\n|---|---|---|---|---|\n");
        var missed = new List<string>();
        var details = new StringBuilder();
        var watch = Stopwatch.StartNew();
        foreach (var mutation in mutations)
        {
            var report = await EconomyCampaign.RunAsync(MaxHistories, Campaign.Seed, databases: 1, Parts.All, mutation);
            TestContext.Current.TestOutputHelper?.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{(report.Failures.Count > 0 ? "found" : "NOT FOUND")} in {report.Histories}, {report.Seconds:0} s: {mutation.Fault}"
                )
            );
            if (report.Failures is [var failure, ..])
            {
                table.Append(
                    CultureInfo.InvariantCulture,
                    $"| {mutation.Kind} | {mutation.Fault} | {report.Histories} | {failure.Commands.Count} | {failure.Brief} |\n"
                );
                details.Append(CultureInfo.InvariantCulture, $"{mutation.Fault}:\n{failure}\n");
            }
            else
            {
                missed.Add(mutation.Fault);
                table.Append(CultureInfo.InvariantCulture, $"| {mutation.Kind} | {mutation.Fault} | **never in {report.Histories}** | | |\n");
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{mutations.Count} mutations in {watch.Elapsed.TotalSeconds:0} s, {Campaign.Repeat}\n{table}\n{details}"
            )
        );
        ReliabilityDocument.Record(
            "mutations",
            string.Create(
                CultureInfo.InvariantCulture,
                $"Recorded on {DateTime.UtcNow:yyyy-MM-dd} from seed {Campaign.Seed}: {mutations.Count} faults, {missed.Count} missed.\n\n{table}"
            )
        );
        Assert.True(missed.Count == 0, $"not found: {string.Join("; ", missed)}\n{Campaign.Repeat}");
    }
}
