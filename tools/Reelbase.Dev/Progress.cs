namespace Reelbase.Dev;

/// <summary>Says now and then that something long goes on.</summary>
internal static class Progress
{
    private const int EverySeconds = 30;

    /// <summary>Waits for it.</summary>
    public static async Task<T> ShowAsync<T>(string what, Task<T> work)
    {
        for (var seconds = EverySeconds; await Task.WhenAny(work, Task.Delay(TimeSpan.FromSeconds(EverySeconds))) != work; seconds += EverySeconds)
        {
            Terminal.Step($"{what}, {seconds} s");
        }
        return await work;
    }
}
