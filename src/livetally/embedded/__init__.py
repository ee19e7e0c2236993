"""The services that livetally brings along: Java, JARs, a broker, a database, a Spark cluster, and their supervisor."""
