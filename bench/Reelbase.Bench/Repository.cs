namespace Reelbase.Bench;

/// <summary>The repository that this program was built in.</summary>
public static class Repository
{
    /// <summary>A file or folder of it.</summary>
    public static string PathOf(params string[] parts)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "reelbase.slnx")))
            {
                return Path.Combine([folder.FullName, .. parts]);
            }
        }
        throw new InvalidOperationException("the bench runs from a clone of the repository");
    }
}
