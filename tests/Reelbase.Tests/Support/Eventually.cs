using System.Diagnostics;

namespace Reelbase.Tests.Support;

/// <summary>For what gives no signal: looks until it is so, and fails when it does not come to be.</summary>
public static class Eventually
{
    public static async Task<T> IsAsync<T>(Func<Task<T>> look, Func<T, bool> isSo, double maxSeconds = 30)
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
