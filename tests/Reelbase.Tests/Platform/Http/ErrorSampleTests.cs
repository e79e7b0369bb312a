using Microsoft.Extensions.Logging.Abstractions;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>What a flood of refusals costs the database that keeps a sample of them.</summary>
public sealed class ErrorSampleTests(TestSystem system) : IClassFixture<TestSystem>
{
    [Fact]
    public async Task Refusals_of_a_thousand_addresses_are_a_sample_and_a_number_and_not_an_entry_each()
    {
        await using var database = new ApiDatabase(ConnectionStrings.From(new DatabaseOptions(), system.Owner), 0);
        // Never started, so that what waits can be counted.
        using var recorder = new ErrorRecorder(database, TimeProvider.System, NullLogger<ErrorRecorder>.Instance);
        const int Addresses = 900;
        for (var round = 0; round < 3; round++)
        {
            for (var address = 0; address < Addresses; address++)
            {
                recorder.Add(new(Guid.NewGuid(), "ERR_4004", "/a-route", null, "x", $"192.0.2.{address}", 1));
            }
        }
        recorder.Add(new(null, "ERR_4004", "/another-route", null, "x", "192.0.2.1", 1));
        var entries = recorder.TakeWaiting();

        // A hundred of the route are kept in a minute; all others share the few entries that carry only their number.
        Assert.InRange(entries.Count(entry => entry.Endpoint == "/a-route"), 100, 105);
        Assert.Equal(3 * Addresses, entries.Where(entry => entry.Endpoint == "/a-route").Sum(entry => entry.Occurrences));
        Assert.Equal(100, entries.Count(entry => entry is { Endpoint: "/a-route", Address: not null }));
        Assert.Single(entries, entry => entry is { Endpoint: "/another-route", Address: not null });
    }
}
