namespace Reelbase.Dev;

/// <summary>What <c>./reelbase</c> hands over to, once there are an SDK and a PostgreSQL.</summary>
internal static class Program
{
    private static Task<int> Main(string[] words) => CommandTree.RunAsync(words);
}
