using System.Diagnostics;

namespace Reelbase.Tests.Support;

/// <summary>For what gives no signal: looks until it is so, and fails when it does not come to be.</summary>
public static class Eventually
{
    /// <summary>How long a busy machine is waited for; on an idle one nothing takes this long, and only a failure does.</summary>
    public const double PatienceSeconds = 90;

    public static async Task<T> IsAsync<T>(Func<Task<T>> look, Func<T, bool> isSo, double maxSeconds = PatienceSeconds)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var seen = await look();
            if (isSo(seen))
            {
                return seen;
            }
            Assert.True(watch.Elapsed.TotalSeconds < maxSeconds, $"still not so after {maxSeconds} s; last seen: {seen}");
            await Task.Delay(25);
        }
    }
}
